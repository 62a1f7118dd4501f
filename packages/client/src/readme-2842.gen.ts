import { createClient } from '@openclaw/client';

const client = createClient({ url: 'ws://127.0.0.1:45113', agent: 'ada' });
await client.call('channel.create', { channelId: 'readme', name: 'README' });

const channel = client.channel('readme');
const events = channel.events(); // subscribes
await channel.send('Hello');

for await (const { event } of events) {
  if (event.type !== 'channel.message') continue;
  console.log(`${event.message.senderId}: ${event.message.content}`);
  break; // unsubscribes
}
await client.close();

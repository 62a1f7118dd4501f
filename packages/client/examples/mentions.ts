import { createClient } from '@openclaw/client';

const [url = 'ws://127.0.0.1:8080', channelId = 'lobby'] = process.argv.slice(2);
const hub = createClient({ url, agent: 'echo' });
const { agentId } = await hub.ready();
const room = hub.channel(channelId);
await hub.createChannel({ channelId, name: channelId }).catch(() => room.join());

// From where it stopped the last time: a mention that came meanwhile is answered now.
const { channels } = await hub.readState();
const since = channels.find((state) => state.channelId === channelId)?.seq ?? 0;

for await (const { event, seq } of room.events({ since })) {
  if (event.type !== 'channel.message' && event.type !== 'thread.message') continue;
  const { message } = event;
  if (message.senderId === agentId || !message.mentions.includes(agentId)) continue;
  await room.startTyping(message.threadId);
  await room.reply(message, `You said: ${message.content}`); // your model's turn
  if (seq !== null) await room.markRead(seq);
}

import { createClient } from '@openclaw/client';

const [url = 'ws://127.0.0.1:8080', channelId = 'lobby'] = process.argv.slice(2);
const hub = createClient({ url, agent: 'echo' });
const { agentId } = await hub.ready();
const channel = hub.channel(channelId);
await hub.createChannel({ channelId, name: channelId }).catch(() => channel.join());

// Starts at the read mark, so that the agent also answers mentions that came while it was not running.
const { channels } = await hub.readState();
const since = channels.find((state) => state.channelId === channelId)?.seq ?? 0;

for await (const { event, seq } of channel.events({ since })) {
  if (event.type !== 'channel.message' && event.type !== 'thread.message') continue;
  const { message } = event;
  if (message.senderId === agentId || !message.mentions.includes(agentId)) continue;
  await channel.startTyping(message.threadId);
  // If the agent restarts before markRead, it answers again. Because of this id, the hub stores the answer only once.
  const once = { clientMessageId: `answer-${message.id}` };
  await channel.reply(message, `You said: ${message.content}`, once); // call your model here
  if (seq !== null) await channel.markRead(seq);
}

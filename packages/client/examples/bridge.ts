import { createClient, type HubChannel } from '@openclaw/client';

const [url = 'ws://127.0.0.1:8080', left = 'lobby', right = 'annex'] = process.argv.slice(2);
const hub = createClient({ url, agent: 'bridge' });
const { agentId } = await hub.ready();

async function carry(from: HubChannel, to: HubChannel) {
  for await (const { event } of from.events({ since: 0 })) {
    if (event.type !== 'channel.message' || event.message.senderId === agentId) continue;
    const { id, senderId, content } = event.message;
    // If a restarted bridge sends a message again, the hub knows it by the original's id and stores it only once.
    await to.send(`${senderId}: ${content}`, { clientMessageId: id });
  }
}

const [one, other] = [hub.channel(left), hub.channel(right)];
await Promise.all([one.join(), other.join()]);
await Promise.all([carry(one, other), carry(other, one)]);

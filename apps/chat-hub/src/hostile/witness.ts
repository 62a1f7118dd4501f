import { connectRpc, type RpcSocket } from '@openclaw/test-support';

/** Two well-behaved agents beside the hostile ones. */
export interface Witness {
  /** Sends a message from the one to the other. Resolves with how long it took, ms; rejects when it does not arrive. */
  look(): Promise<number>;
  close(): Promise<void>;
}

/** Opens the two, in a channel of their own. `urlOf` names an agent's WebSocket, with what proves who it is. */
export async function openWitness(urlOf: (agentId: string) => Promise<string>): Promise<Witness> {
  const channelId = `witness-${Math.random().toString(36).slice(2)}`;
  const [sender, receiver] = (await Promise.all(
    ['witness-1', 'witness-2'].map(async (agentId) => connectRpc(await urlOf(agentId))),
  )) as [RpcSocket, RpcSocket];
  await sender.call('channel.create', { channelId, name: 'Witness' });
  await receiver.call('channel.join', { channelId });
  await receiver.call('subscribe', { topics: [{ channelId }] });
  return {
    async look() {
      const startMs = performance.now();
      const { seq } = await sender.call('message.send', { channelId, content: 'still here' });
      await receiver.event((envelope) => envelope.channelId === channelId && envelope.seq === seq);
      return performance.now() - startMs;
    },
    async close() {
      await Promise.all([sender.close(), receiver.close()]);
    },
  };
}

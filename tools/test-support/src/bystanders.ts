import { connectRpc, type RpcSocket } from './rpc-socket.ts';

/** Two well-behaved agents use the hub while a test misbehaves. */
export interface Bystanders extends AsyncDisposable {
  /**
   * Sends a message from one agent to the other. Resolves with its delivery time in ms; rejects when it does not
   * arrive.
   */
  exchangeMessage(): Promise<number>;
  close(): Promise<void>;
}

/** The agents share a channel. `urlOf` returns an agent's WebSocket URL, credentials included. */
export async function openBystanders(urlOf: (agentId: string) => string): Promise<Bystanders> {
  const channelId = `bystanders-${Math.random().toString(36).slice(2)}`;
  const [sender, receiver] = (await Promise.all(
    ['bystander-1', 'bystander-2'].map((agentId) => connectRpc(urlOf(agentId))),
  )) as [RpcSocket, RpcSocket];
  await sender.call('channel.create', { channelId, name: 'Bystanders' });
  await receiver.call('channel.join', { channelId });
  await receiver.call('subscribe', { topics: [{ channelId }] });
  async function close() {
    await Promise.all([sender.close(), receiver.close()]);
  }

  return {
    async exchangeMessage() {
      const startMs = performance.now();
      const { seq } = await sender.call('message.send', { channelId, content: 'still here' });
      await receiver.event((envelope) => envelope.channelId === channelId && envelope.seq === seq);
      return performance.now() - startMs;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

import type { RpcSocket } from '@openclaw/test-support';

export const isMessage =
  (content: string) =>
  (envelope: { readonly event: { readonly message?: { readonly content: string } } }): boolean =>
    envelope.event.message?.content === content;

export async function contents(socket: RpcSocket, channelId: string): Promise<string[]> {
  const { messages } = await socket.call('message.history', { channelId });
  return (messages as { content: string }[]).map(({ content }) => content);
}

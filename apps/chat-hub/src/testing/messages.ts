import type { RpcSocket } from '@openclaw/test-support';

export const isMessage =
  (content: string) =>
  (envelope: { readonly event: { readonly message?: { readonly content: string } } }): boolean =>
    envelope.event.message?.content === content;

/** The contents of a channel's newest page, read by this socket's agent. */
export async function contents(socket: RpcSocket, channelId: string): Promise<string[]> {
  const { messages } = await socket.call('message.history', { channelId });
  return (messages as { content: string }[]).map(({ content }) => content);
}

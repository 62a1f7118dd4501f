import type { Channel } from '@openclaw/protocol';

/** Who is on the other side of a direct channel: the hub names it after its two members. */
export function peerOf(channel: Channel, me: string): string {
  const pair = channel.name.split(', ');
  return pair.find((agentId) => agentId !== me) ?? me;
}

/** What a channel is called. */
export function titleOf(channel: Channel, me: string): string {
  return channel.kind === 'direct' ? peerOf(channel, me) : channel.name;
}

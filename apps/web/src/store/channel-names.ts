import type { Channel } from '@openclaw/protocol';

/** The other member of a direct channel: the hub names it after its two members. */
export function peerOf(channel: Channel, me: string): string {
  const pair = channel.name.split(', ');
  return pair.find((agentId) => agentId !== me) ?? me;
}

/** The name to show for a channel: of a direct channel, its peer. */
export function titleOf(channel: Channel, me: string): string {
  return channel.kind === 'direct' ? peerOf(channel, me) : channel.name;
}

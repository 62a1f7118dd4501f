import type { Channel } from '@openclaw/protocol';

/** The hub writes both members into the name of a direct channel. */
export function peerOf(channel: Channel, me: string): string {
  const pair = channel.name.split(', ');
  return pair.find((agentId) => agentId !== me) ?? me;
}

export function titleOf(channel: Channel, me: string): string {
  const isMine = channel.kind === 'direct' && channel.name.split(', ').includes(me);
  return isMine ? peerOf(channel, me) : channel.name;
}

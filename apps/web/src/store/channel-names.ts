import type { Channel } from '@openclaw/protocol';

/** The other member of a direct channel, taken from the channel's name. The hub writes both members into that name. */
export function peerOf(channel: Channel, me: string): string {
  const pair = channel.name.split(', ');
  return pair.find((agentId) => agentId !== me) ?? me;
}

/** The name to show for a channel. A reader's direct channel is shown as its other member. */
export function titleOf(channel: Channel, me: string): string {
  const isMine = channel.kind === 'direct' && channel.name.split(', ').includes(me);
  return isMine ? peerOf(channel, me) : channel.name;
}

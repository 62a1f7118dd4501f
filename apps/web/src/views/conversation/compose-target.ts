import type { Channel } from '@openclaw/protocol';
import type { Session } from '../../session/session.ts';
import { peerOf } from '../../store/channel-names.ts';
import type { Outgoing } from '../../store/outbox.ts';

export interface ComposeTarget {
  /** Null while a direct channel does not exist yet. */
  readonly channelId: string | null;
  readonly peer: string | null;
  readonly threadId: string | null;
}

export function composeTarget(
  channel: Channel,
  threadId: string | null,
  me: string,
): ComposeTarget {
  const peer = channel.kind === 'direct' ? peerOf(channel, me) : null;
  return { channelId: channel.channelId, peer, threadId };
}

/**
 * The key of a draft for a direct channel has the peer's id, because the channel may be created while the draft exists.
 */
export function draftKey({ channelId, peer, threadId }: ComposeTarget): string {
  const channelKey = peer === null ? `${channelId}` : `@${peer}`;
  return threadId === null ? channelKey : `${channelKey}/${threadId}`;
}

/** Never equals a key of {@link draftKey}, because no channel id begins with a slash. */
export function editDraftKey(messageId: string): string {
  return `/edit/${messageId}`;
}

export function setDraft(
  { drafts }: Pick<Session, 'drafts'>,
  key: string,
  text: string | null,
): void {
  const { [key]: _, ...others } = drafts.value;
  drafts.value = text === null ? others : { ...others, [key]: text };
}

/** Before a direct channel exists, the message or the target has only the recipient's id. */
export function isSentTo(target: ComposeTarget, item: Outgoing): boolean {
  if (item.threadId !== target.threadId) return false;
  return item.channelId === null || target.channelId === null
    ? target.peer !== null && item.agentId === target.peer
    : item.channelId === target.channelId;
}

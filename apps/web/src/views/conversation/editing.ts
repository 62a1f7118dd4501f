import type { Message } from '@openclaw/protocol';
import type { Entry } from '../../store/timeline.ts';

/** The newest message of one's own that can still be changed; in a thread, of its replies. */
export function lastOwn(
  entries: readonly Entry[],
  me: string,
  threadId: string | null,
): Message | null {
  for (let i = entries.length - 1; i >= 0; i -= 1) {
    const entry = entries[i];
    if (entry?.kind !== 'message') continue;
    const { message } = entry;
    const isOwn = message.senderId === me && message.deletedAt === null;
    // A thread's first message is the channel's.
    if (isOwn && message.threadId === threadId) return message;
  }
  return null;
}

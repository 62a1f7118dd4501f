import type { Message } from '@openclaw/protocol';
import { indexOfSeq, type Entry } from '../../store/timeline.ts';
import type { Editing } from '../page-state.ts';

/** Null when the edited message is deleted, or is not among these entries. */
export function editingIn(
  entries: readonly Entry[],
  editing: Editing | null,
  isInThread: boolean,
): Editing | null {
  if (editing?.isInThread !== isInThread) return null;
  const entry = entries[indexOfSeq(entries, editing.seq)];
  if (entry?.kind !== 'message' || entry.message.id !== editing.messageId) return null;
  return entry.message.deletedAt === null ? editing : null;
}

export function lastOwnMessage(
  entries: readonly Entry[],
  me: string,
  threadId: string | null,
): Message | null {
  const own = entries.findLast(
    (entry) =>
      entry.kind === 'message' &&
      entry.message.senderId === me &&
      entry.message.deletedAt === null &&
      // Excludes the thread's root message, which belongs to the channel.
      entry.message.threadId === threadId,
  );
  return own?.kind === 'message' ? own.message : null;
}

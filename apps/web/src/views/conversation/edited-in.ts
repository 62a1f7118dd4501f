import { indexOfSeq, type Entry } from '../../store/timeline.ts';
import type { Editing } from '../../page/page-state.ts';

/** What is being edited, where it is among these entries; null where it is not, or was deleted meanwhile. */
export function editedIn(
  entries: readonly Entry[],
  editing: Editing | null,
  isInThread: boolean,
): Editing | null {
  if (editing?.isInThread !== isInThread) return null;
  const entry = entries[indexOfSeq(entries, editing.seq)];
  if (entry?.kind !== 'message' || entry.message.id !== editing.messageId) return null;
  return entry.message.deletedAt === null ? editing : null;
}

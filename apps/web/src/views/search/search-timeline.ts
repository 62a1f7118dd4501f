import type { Message } from '@openclaw/protocol';
import type { Timeline } from '../../store/timeline.ts';

/** The newest messages whose sender and text contain every word of the query. */
export function searchTimeline(timeline: Timeline, query: string, max: number): Message[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found: Message[] = [];
  for (let i = timeline.entries.length - 1; i >= 0 && found.length < max; i -= 1) {
    const entry = timeline.entries[i];
    if (entry?.kind !== 'message' || entry.message.deletedAt !== null) continue;
    const text = `${entry.message.senderId} ${entry.message.content}`.toLowerCase();
    if (words.every((word) => text.includes(word))) found.push(entry.message);
  }
  return found;
}

import type { Message } from '@openclaw/protocol';
import type { Timeline } from '../../store/timeline.ts';

/** Messages that hold every word of the question, newest first, at most `max`. */
export function searchTimeline(timeline: Timeline, question: string, max: number): Message[] {
  const words = question.toLowerCase().split(/\s+/).filter(Boolean);
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

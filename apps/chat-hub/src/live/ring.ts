import type { EncodedEnvelope } from '@openclaw/protocol';

/** The newest durable events of one channel, without holes, so that most resumes cost no database read. */
export interface EventRing {
  push(event: EncodedEnvelope): void;
  /** Adds what came before the oldest, as far as there is room; ignores what leaves a hole. */
  prepend(events: readonly EncodedEnvelope[]): void;
  /** The events after `seq` up to the newest, or null when the ring does not reach back that far. */
  after(seq: number): readonly EncodedEnvelope[] | null;
  /** Forgets all up to the last event that holds the message's text: what was deleted is not resumed from memory. */
  forgetMessage(messageId: string): void;
}

/** An empty ring for a channel whose head is `head`; it keeps at most `maxEvents` events and `maxBytes` of their text. */
export function createEventRing(
  head: number,
  { maxEvents = 1_000, maxBytes = 1_048_576 } = {},
): EventRing {
  // Entries before `first` are forgotten; they leave the array in one splice when they are half of it.
  let events: EncodedEnvelope[] = [];
  let first = 0;
  let bytes = 0;
  let newest = head;

  return {
    push(event) {
      if (event.seq === null) return;
      events.push(event);
      newest = event.seq;
      bytes += event.json.length;
      while (events.length - first > maxEvents || (bytes > maxBytes && events.length > first)) {
        bytes -= events[first]?.json.length ?? 0;
        first += 1;
      }
      if (first > 64 && first * 2 > events.length) {
        events = events.slice(first);
        first = 0;
      }
    },
    prepend(earlier) {
      const oldest = newest - (events.length - first) + 1;
      const kept: EncodedEnvelope[] = [];
      let before = oldest;
      for (const event of earlier.toReversed()) {
        if (event.seq === null || event.seq >= oldest) continue;
        const isFull =
          events.length - first + kept.length >= maxEvents || bytes + event.json.length > maxBytes;
        if (isFull || event.seq !== before - 1) break;
        kept.push(event);
        bytes += event.json.length;
        before = event.seq;
      }
      events = [...kept.reverse(), ...events.slice(first)];
      first = 0;
    },
    after(seq) {
      const wanted = newest - seq;
      if (wanted <= 0) return [];
      return wanted > events.length - first ? null : events.slice(events.length - wanted);
    },
    forgetMessage(messageId) {
      const mark = `"id":"${messageId}"`;
      for (let index = events.length - 1; index >= first; index--) {
        const event = events[index];
        if (!event || event.type === 'channel.message.delete' || !event.json.includes(mark))
          continue;
        events = events.slice(index + 1);
        first = 0;
        bytes = events.reduce((sum, { json }) => sum + json.length, 0);
        return;
      }
    },
  };
}

import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { createRingBudget, EventRing, heapBytesOf } from './backlog.ts';

function event(seq: number, payload = {}): EncodedEnvelope {
  return encodeEnvelope({
    id: `e${seq}`,
    event: { type: 'collaboration.event', channelId: 'c', name: 'n', payload },
    timestamp: 1,
    senderId: 'a',
    senderKind: null,
    channelId: 'c',
    seq,
    epoch: 'e',
  });
}
const seqs = (events: readonly EncodedEnvelope[] | null) => events?.map(({ seq }) => seq) ?? null;

describe('event ring', () => {
  it('returns the events after a seq, in order, up to the newest', () => {
    const ring = new EventRing(10);
    for (const seq of [11, 12, 13]) ring.push(event(seq));
    expect(seqs(ring.after(10))).toEqual([11, 12, 13]);
    expect(seqs(ring.after(12))).toEqual([13]);
    expect(seqs(ring.after(13))).toEqual([]);
  });

  it('returns null when it does not reach back that far, and leaves no gap', () => {
    const ring = new EventRing(10);
    ring.push(event(11));
    expect(ring.after(9)).toBeNull();
  });

  it('keeps at most maxEvents events', () => {
    const ring = new EventRing(0, { maxEvents: 100 });
    for (let seq = 1; seq <= 1_000; seq++) ring.push(event(seq));
    expect(ring.after(899)).toBeNull();
    expect(seqs(ring.after(900))).toHaveLength(100);
    expect(seqs(ring.after(998))).toEqual([999, 1000]);
  });

  it('keeps at most maxBytes bytes', () => {
    const ring = new EventRing(0, { maxBytes: 10_000 });
    for (let seq = 1; seq <= 50; seq++) ring.push(event(seq, { text: 'x'.repeat(1_000) }));
    expect(ring.after(0)).toBeNull();
    const kept = [...Array(50).keys()]
      .map((seq) => ring.after(seq))
      .find((events) => events !== null);
    expect(kept?.reduce((sum, { json }) => sum + json.length, 0)).toBeLessThanOrEqual(10_000);
  });

  it('drops the events up to the last one with a deleted message’s text, and keeps later ones', () => {
    const ring = new EventRing(0);
    for (const seq of [1, 2, 3, 4])
      ring.push(event(seq, seq === 2 ? { message: { id: 'm2' } } : {}));
    ring.forgetMessage('m2');
    expect(ring.after(1)).toBeNull();
    expect(seqs(ring.after(2))).toEqual([3, 4]);
    ring.push(event(5));
    expect(seqs(ring.after(2))).toEqual([3, 4, 5]);
  });

  it('prepends earlier events as far as there is room', () => {
    const ring = new EventRing(10, { maxEvents: 5 });
    ring.push(event(11));
    ring.prepend([4, 5, 6, 7, 8, 9, 10, 11].map((seq) => event(seq)));
    expect(ring.after(6)).not.toBeNull();
    expect(seqs(ring.after(6))).toEqual([7, 8, 9, 10, 11]);
    expect(ring.after(5)).toBeNull();
    ring.push(event(12));
    expect(seqs(ring.after(7))).toEqual([8, 9, 10, 11, 12]);
    expect(ring.after(6)).toBeNull();
  });
});

describe('the budget of all rings', () => {
  const textEvent = (seq: number, text: string) => event(seq, { text });

  // An earlier version crashed with 400 MB of heap when a socket followed 160 channels, each with several megabytes of
  // events.
  it('applies to any number of channels, and empties the least recently used rings', () => {
    const budget = createRingBudget({ maxBytes: 1_000_000 });
    const rings = Array.from({ length: 160 }, () => new EventRing(0, { budget }));
    for (const ring of rings)
      for (let seq = 1; seq <= 10; seq++) {
        ring.push(textEvent(seq, 'x'.repeat(10_000)));
        expect(budget.bytes).toBeLessThanOrEqual(1_000_000);
      }
    expect(budget.bytes).toBeGreaterThan(800_000);
    expect(rings.slice(0, 140).every((ring) => ring.after(9) === null)).toBe(true);
    expect(rings.slice(-5).every((ring) => ring.after(0)?.length === 10)).toBe(true);
  });

  it('keeps a ring that is read, and lets an emptied one continue from its newest event', () => {
    const budget = createRingBudget({ maxBytes: 50_000 });
    const [read, unread, third] = [1, 2, 3].map(() => new EventRing(0, { budget }));
    read?.push(textEvent(1, 'x'.repeat(20_000)));
    unread?.push(textEvent(1, 'x'.repeat(20_000)));
    read?.after(0);
    third?.push(textEvent(1, 'x'.repeat(20_000)));
    const lengths = [read, unread, third].map((ring) => ring?.after(0)?.length ?? null);
    expect(lengths).toEqual([1, null, 1]);
    unread?.push(textEvent(2, 'small'));
    expect(seqs(unread?.after(1) ?? null)).toEqual([2]);
    expect(unread?.after(0)).toBeNull();
  });

  it('counts two bytes a character for text that is not ASCII, and frees all when rings close', () => {
    const [ascii, wide] = [textEvent(1, 'x'.repeat(1_000)), textEvent(1, '語'.repeat(1_000))];
    expect(heapBytesOf(wide) - heapBytesOf(ascii)).toBe(ascii.json.length);
    const budget = createRingBudget();
    const ring = new EventRing(0, { budget });
    ring.push(wide);
    expect(budget.bytes).toBe(heapBytesOf(wide));
    ring.close();
    ring.push(textEvent(2, 'late'));
    expect(budget.bytes).toBe(0);
  });
});

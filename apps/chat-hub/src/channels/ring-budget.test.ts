import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { createEventRing } from './ring.ts';
import { createRingBudget, heapBytesOf } from './ring-budget.ts';

function event(seq: number, text: string): EncodedEnvelope {
  return encodeEnvelope({
    id: `e${seq}`,
    event: { type: 'collaboration.event', channelId: 'c', name: 'n', payload: { text } },
    ...{ timestamp: 1, senderId: 'a', senderKind: null, channelId: 'c', seq, epoch: 'e' },
  });
}

describe('the budget of all rings', () => {
  // A socket that followed 160 channels, each with its own megabytes, ended a hub with 400 MB of heap.
  it('holds however many channels there are, and empties those used longest ago', () => {
    const budget = createRingBudget({ maxBytes: 1_000_000 });
    const rings = Array.from({ length: 160 }, () => createEventRing(0, { budget }));
    for (const ring of rings)
      for (let seq = 1; seq <= 10; seq++) {
        ring.push(event(seq, 'x'.repeat(10_000)));
        expect(budget.bytes).toBeLessThanOrEqual(1_000_000);
      }
    expect(budget.bytes).toBeGreaterThan(800_000);
    expect(rings.slice(0, 140).every((ring) => ring.after(9) === null)).toBe(true);
    expect(rings.slice(-5).every((ring) => ring.after(0)?.length === 10)).toBe(true);
  });

  it('keeps a ring that is read, and lets an emptied one go on from its newest event', () => {
    const budget = createRingBudget({ maxBytes: 50_000 });
    const [read, unread, third] = [1, 2, 3].map(() => createEventRing(0, { budget }));
    read?.push(event(1, 'x'.repeat(20_000)));
    unread?.push(event(1, 'x'.repeat(20_000)));
    read?.after(0);
    third?.push(event(1, 'x'.repeat(20_000)));
    expect([read, unread, third].map((ring) => ring?.after(0)?.length ?? null)).toEqual([
      1,
      null,
      1,
    ]);
    unread?.push(event(2, 'small'));
    expect(unread?.after(1)?.map(({ seq }) => seq)).toEqual([2]);
    expect(unread?.after(0)).toBeNull();
  });

  it('counts two bytes a character for what is not ASCII, and gives all back when rings close', () => {
    const [ascii, wide] = [event(1, 'x'.repeat(1_000)), event(1, '語'.repeat(1_000))];
    expect(heapBytesOf(wide) - heapBytesOf(ascii)).toBe(ascii.json.length);
    const budget = createRingBudget();
    const ring = createEventRing(0, { budget });
    ring.push(wide);
    expect(budget.bytes).toBe(heapBytesOf(wide));
    ring.close();
    ring.push(event(2, 'late'));
    expect(budget.bytes).toBe(0);
  });
});

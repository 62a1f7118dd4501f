import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { createEventRing } from './ring.ts';

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
  it('answers the events after a seq, in order, up to the newest', () => {
    const ring = createEventRing(10);
    for (const seq of [11, 12, 13]) ring.push(event(seq));
    expect(seqs(ring.after(10))).toEqual([11, 12, 13]);
    expect(seqs(ring.after(12))).toEqual([13]);
    expect(seqs(ring.after(13))).toEqual([]);
  });

  it('says that it does not reach back, instead of leaving a hole', () => {
    const ring = createEventRing(10);
    ring.push(event(11));
    expect(ring.after(9)).toBeNull();
  });

  it('keeps no more events than it may', () => {
    const ring = createEventRing(0, { maxEvents: 100 });
    for (let seq = 1; seq <= 1_000; seq++) ring.push(event(seq));
    expect(ring.after(899)).toBeNull();
    expect(seqs(ring.after(900))).toHaveLength(100);
    expect(seqs(ring.after(998))).toEqual([999, 1000]);
  });

  it('keeps no more bytes than it may', () => {
    const ring = createEventRing(0, { maxBytes: 10_000 });
    for (let seq = 1; seq <= 50; seq++) ring.push(event(seq, { text: 'x'.repeat(1_000) }));
    expect(ring.after(0)).toBeNull();
    const kept = [...Array(50).keys()]
      .map((seq) => ring.after(seq))
      .find((events) => events !== null);
    expect(kept?.reduce((sum, { json }) => sum + json.length, 0)).toBeLessThanOrEqual(10_000);
  });

  it('forgets what holds a deleted message’s text and all before it, and keeps what came after', () => {
    const ring = createEventRing(0);
    for (const seq of [1, 2, 3, 4])
      ring.push(event(seq, seq === 2 ? { message: { id: 'm2' } } : {}));
    ring.forgetMessage('m2');
    expect(ring.after(1)).toBeNull();
    expect(seqs(ring.after(2))).toEqual([3, 4]);
    ring.push(event(5));
    expect(seqs(ring.after(2))).toEqual([3, 4, 5]);
  });

  it('takes in what came before its oldest, as far as there is room', () => {
    const ring = createEventRing(10, { maxEvents: 5 });
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

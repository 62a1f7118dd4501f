import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Envelope } from '@openclaw/protocol';
import { envelopeOf, messageOf, sentOf } from '../testing/events.ts';
import { addPage, applyEvents, emptyTimeline, indexOfSeq, type Timeline } from './timeline.ts';

const roomy = { max: 1_000, trim: 'oldest' } as const;
const page = (...seqs: number[]) => ({
  ...{ messages: seqs.map((seq) => messageOf(seq)), systemEvents: [], head: Math.max(0, ...seqs) },
  hasMore: false,
});
const loaded = (...seqs: number[]) => addPage(emptyTimeline(), page(...seqs), 'newest', 1_000);
const seqsOf = (timeline: Timeline) => timeline.entries.map(({ seq }) => seq);
const contentsOf = (timeline: Timeline) =>
  timeline.entries.map((entry) => (entry.kind === 'message' ? entry.message.content : '-'));
const reactionOf = (seq: number, type: 'add' | 'remove', agentId: string, messageId: string) =>
  envelopeOf(seq, {
    type: `channel.reaction.${type}`,
    channelId: 'c',
    messageId,
    agentId,
    emoji: '👍',
  });

describe('a timeline', () => {
  it('inserts events only after its first page', () => {
    expect(applyEvents(emptyTimeline(), [sentOf(1)], roomy).entries).toEqual([]);
    expect(seqsOf(applyEvents(loaded(1, 2), [sentOf(3), sentOf(4)], roomy))).toEqual([1, 2, 3, 4]);
  });

  it('does not change when an event is applied twice', () => {
    const once = applyEvents(loaded(1), [sentOf(2), reactionOf(3, 'add', 'ada', 'm1')], roomy);
    const twice = applyEvents(once, [sentOf(2), reactionOf(3, 'add', 'ada', 'm1')], roomy);
    expect(twice).toEqual(once);
  });

  it('replaces a message that was edited or deleted', () => {
    const edited = messageOf(1, { content: 'better', editedAt: 9 });
    const deleted = messageOf(2, { content: '', deletedAt: 9 });
    const timeline = applyEvents(
      loaded(1, 2, 3),
      [
        envelopeOf(4, { type: 'channel.message.edit', channelId: 'c', message: edited }),
        envelopeOf(5, { type: 'channel.message.delete', channelId: 'c', message: deleted }),
      ],
      roomy,
    );
    expect(contentsOf(timeline)).toEqual(['better', '', 'text 3']);
  });

  it('counts each reaction of an agent once, and removes an emoji without reactions', () => {
    const events = [
      reactionOf(2, 'add', 'ada', 'm1'),
      reactionOf(3, 'add', 'bob', 'm1'),
      reactionOf(4, 'remove', 'ada', 'm1'),
    ];
    const reactionsOf = (timeline: Timeline) =>
      timeline.entries[0]?.kind === 'message' && timeline.entries[0].message.reactions;
    const one = applyEvents(loaded(1), events, roomy);
    expect(reactionsOf(one)).toEqual({ '👍': ['bob'] });
    expect(reactionsOf(applyEvents(one, [reactionOf(5, 'remove', 'bob', 'm1')], roomy))).toEqual(
      {},
    );
  });

  // The race: the hub reads a page, then an event happens. The event arrives before the page.
  it('is the same whether a page or the events after it arrive first', () => {
    const events = [sentOf(3), reactionOf(4, 'add', 'ada', 'm1'), sentOf(5)];
    const pageFirst = applyEvents(loaded(1, 2), events, roomy);
    const late = addPage(applyEvents(emptyTimeline(), events, roomy), page(1, 2), 'newest', 1_000);
    expect(applyEvents(late, events, roomy)).toEqual(pageFirst);
  });

  it('does not apply an event that the page includes already', () => {
    const newer = { ...page(1), head: 7 };
    const timeline = addPage(emptyTimeline(), newer, 'newest', 1_000);
    expect(applyEvents(timeline, [reactionOf(6, 'add', 'ada', 'm1')], roomy)).toEqual(timeline);
  });

  it('adds older pages before and newer ones after its entries, without duplicates', () => {
    const middle = { ...loaded(5, 6), hasOlder: true };
    const older = addPage(middle, page(2, 3, 5), 'older', 1_000);
    expect(seqsOf(older)).toEqual([2, 3, 5, 6]);
    expect(seqsOf(addPage(older, page(6, 8), 'newer', 1_000))).toEqual([2, 3, 5, 6, 8]);
  });

  it('shows replies in their thread only', () => {
    const events = [sentOf(2, { threadId: 'm1' }), sentOf(3)];
    expect(seqsOf(applyEvents(loaded(1), events, roomy))).toEqual([1, 3]);
    const thread = addPage(emptyTimeline('m1'), page(1), 'newest', 1_000);
    expect(seqsOf(applyEvents(thread, events, roomy))).toEqual([1, 2]);
  });

  it('drops its oldest entries over the limit when the reader follows', () => {
    const events = Array.from({ length: 30 }, (_, n) => sentOf(n + 2));
    const timeline = applyEvents(loaded(1), events, { max: 20, trim: 'oldest' });
    expect(timeline.entries.length).toBeLessThanOrEqual(20);
    expect(timeline).toMatchObject({ hasOlder: true, hasNewer: false, head: 31 });
    expect(timeline.entries.at(-1)?.seq).toBe(31);
  });

  it('leaves out the newest entries over the limit when the reader has scrolled up, until they are loaded', () => {
    const events = Array.from({ length: 30 }, (_, n) => sentOf(n + 2));
    const timeline = applyEvents(loaded(1), events, { max: 20, trim: 'newest' });
    expect(seqsOf(timeline)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect(timeline.hasNewer).toBe(true);
    expect(seqsOf(applyEvents(timeline, [sentOf(32)], roomy)).at(-1)).toBe(20);
  });

  it('shows system events, and no typing', () => {
    const report: Envelope = envelopeOf(2, {
      ...{ type: 'collaboration.event', channelId: 'c', name: 'turn', payload: {} },
    });
    const typing = envelopeOf(null, {
      ...{ type: 'channel.typing', channelId: 'c', agentId: 'bob', typing: true, threadId: null },
    });
    expect(seqsOf(applyEvents(loaded(1), [report, typing], roomy))).toEqual([1, 2]);
  });

  it('is ordered and without duplicates for any batches of events', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 })),
        (batches) => {
          let timeline = loaded();
          for (const batch of batches) {
            timeline = applyEvents(
              timeline,
              batch.map((seq) => sentOf(seq)),
              roomy,
            );
          }
          const expected = [...new Set(batches.flat())].sort((a, b) => a - b);
          expect(seqsOf(timeline)).toEqual(expected);
          for (const seq of expected)
            expect(timeline.entries[indexOfSeq(timeline.entries, seq)]?.seq).toBe(seq);
        },
      ),
    );
  });
});

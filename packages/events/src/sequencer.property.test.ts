import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { sampleTyping } from './testing/sample-events.ts';
import { createSequencerBench, settled, type SequencerBench } from './testing/sequencer-bench.ts';

// The network drops, repeats and reorders events; the store fails or returns too little; other processes report heads.
const eventsInLog = 40;
const seq = fc.integer({ min: 1, max: eventsInLog });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('offer' as const), seq }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('offerNear' as const),
      ahead: fc.integer({ min: -2, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.integer({ min: 1, max: 400 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('answerPart' as const),
      count: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('answerOld' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('raise' as const), seq }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('typing' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const settings = fc.record({
  maxBuffered: fc.integer({ min: 1, max: 8 }),
  pageSize: fc.integer({ min: 1, max: 10 }),
  head: fc.integer({ min: 0, max: 5 }),
  echoes: fc.array(fc.boolean(), { maxLength: eventsInLog }),
});

async function play(bench: SequencerBench, next: Step): Promise<void> {
  const { sequencer, clock, fetches, log } = bench;
  const pending = fetches[0];
  switch (next.kind) {
    case 'offer':
      return sequencer.offer(bench.event(next.seq));
    case 'offerNear': {
      const event = log[sequencer.head + next.ahead];
      return event && sequencer.offer(event);
    }
    case 'advance':
      clock.advance(next.ms);
      return settled();
    case 'answer':
      return pending?.answer();
    case 'answerPart':
      return pending?.answerWith(log.slice(pending.after, pending.after + next.count));
    case 'answerOld':
      return pending?.answerWith(log.slice(0, pending.after));
    case 'fail':
      return pending?.fail(new Error('database away'));
    case 'raise':
      return sequencer.raise(next.seq);
    case 'typing':
      return sequencer.offer(sampleTyping());
  }
}

const isDurable = ({ seq: place }: EncodedEnvelope) => place !== null;

describe('a sequencer under any interleaving', () => {
  it('delivers head+1 … n in order, exactly once, with one fetch at a time and a bounded buffer', async () => {
    const run = fc.asyncProperty(
      fc.array(step, { maxLength: 120 }),
      settings,
      async (steps, { echoes, head, ...options }) => {
        const bench = createSequencerBench(eventsInLog, {
          ...options,
          head,
          onDeliver(event) {
            const next =
              echoes[event.seq ?? 0] === true ? bench.log[(event.seq ?? 0) + 1] : undefined;
            if (next) bench.sequencer.offer(next);
          },
        });
        for (const next of steps) {
          await play(bench, next);
          const durable = bench.delivered.filter(isDurable);
          expect(durable.map((event) => event.seq)).toEqual(
            durable.map((_, index) => head + 1 + index),
          );
          expect(bench.sequencer.head).toBe(head + durable.length);
          expect(bench.fetches.length).toBeLessThanOrEqual(1);
          expect(bench.sequencer.stats.buffered).toBeLessThanOrEqual(options.maxBuffered);
        }
        // The store finally answers, and its head is reported once.
        bench.sequencer.raise(eventsInLog);
        for (let turn = 0; turn < eventsInLog && bench.fetches.length > 0; turn += 1) {
          await bench.fetches[0]?.answer();
        }
        expect(bench.delivered.filter(isDurable)).toEqual(bench.log.slice(head));
        expect(bench.sequencer.stats.buffered).toBe(0);
        bench.clock.advance(60_000);
        await settled();
        expect(bench.fetches).toHaveLength(0);
        expect(bench.clock.waiting).toBe(0);
      },
    );
    await fc.assert(run, { numRuns: 500 });
  });

  it('is needed: without a sequencer the same arrivals are out of order, repeated or incomplete', async () => {
    // Negative control: the arrivals themselves lack the property.
    const arrivals = fc.array(seq, { minLength: 1, maxLength: 120 });
    const naive = fc.property(arrivals, (seqs) =>
      seqs.every((place, index) => place === index + 1),
    );
    expect(fc.check(naive, { numRuns: 500 }).failed).toBe(true);
  });

  it('catches up from any buffered state, only by its timeout', async () => {
    const run = fc.asyncProperty(
      fc.uniqueArray(seq, { minLength: 1 }),
      settings,
      async (seqs, { maxBuffered, pageSize }) => {
        const bench = createSequencerBench(eventsInLog, { maxBuffered, pageSize });
        for (const place of seqs) bench.sequencer.offer(bench.event(place));
        bench.clock.advance(25);
        for (let turn = 0; turn < eventsInLog && bench.fetches.length > 0; turn += 1) {
          await bench.fetches[0]?.answer();
        }
        expect(bench.sequencer.head).toBeGreaterThanOrEqual(Math.max(...seqs));
      },
    );
    await fc.assert(run, { numRuns: 200 });
  });
});

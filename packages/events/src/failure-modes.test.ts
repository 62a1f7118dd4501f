import { describe, expect, it } from '@jest/globals';
import { createMemoryEventBus } from './memory-event-bus.ts';
import { sampleMessage, sampleTyping } from './testing/sample-events.ts';
import { createSequencerBench } from './testing/sequencer-bench.ts';

// Failures that users of other hubs reported, each with a run in which the protection is off.

describe('replay', () => {
  // The failure: a replay overlapped live events, so some were delivered twice.
  it('delivers nothing twice when a resume is repeated and overlaps what is live', async () => {
    const bench = createSequencerBench(5);
    const received: (number | null)[] = [];
    const offer = (seq: number) => {
      received.push(seq);
      bench.sequencer.offer(bench.event(seq));
    };
    [1, 2].forEach(offer);
    bench.sequencer.raise(5);
    [3, 4].forEach(offer);
    await bench.fetches[0]?.answer();
    [3, 4, 5].forEach(offer);
    bench.sequencer.raise(5);
    [1, 2, 3, 4, 5].forEach(offer);
    expect(bench.seqs()).toEqual([1, 2, 3, 4, 5]);
    expect(bench.fetches).toHaveLength(0);
    // Negative control: without a sequencer, the same run delivers events twice.
    expect(received).toHaveLength(12);
  });
});

describe('an ephemeral event', () => {
  // The failure: a client took its last seq from a typing event that came between two messages.
  it('passes at once without changing the head, also before a resume and while others are buffered', async () => {
    const bench = createSequencerBench(4);
    const typing = () => sampleTyping();
    bench.sequencer.offer(typing());
    expect(bench.sequencer.head).toBe(0);
    bench.sequencer.offer(bench.event(1));
    bench.sequencer.offer(typing());
    bench.sequencer.offer(bench.event(4));
    bench.sequencer.offer(typing());
    expect(bench.seqs()).toEqual([null, 1, null, null]);
    bench.clock.advance(25);
    expect(bench.fetches[0]?.after).toBe(1);
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([null, 1, null, null, 2, 3, 4]);
  });
});

describe('the last message of a burst', () => {
  // The failure: pub/sub lost the last message, and no later message showed the gap.
  it('is delivered when the store’s head is found past ours', async () => {
    const bench = createSequencerBench(3);
    bench.sequencer.offer(bench.event(1));
    bench.sequencer.offer(bench.event(2));
    // Negative control: without the tail check, event 3 is never fetched.
    bench.clock.advance(60_000);
    expect(bench.seqs()).toEqual([1, 2]);
    expect(bench.fetches).toHaveLength(0);

    bench.sequencer.raise(3);
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2, 3]);
    expect(bench.sources).toEqual(['live', 'live', 'store']);
  });

  it('costs no fetch when the store’s head is not past ours', () => {
    const bench = createSequencerBench(2, { head: 2 });
    for (const head of [0, 1, 2, Number.NaN, Infinity]) bench.sequencer.raise(head);
    expect(bench.fetches).toHaveLength(0);
  });
});

describe('a bus', () => {
  it('removes only the handler that unsubscribes', async () => {
    const bus = createMemoryEventBus();
    const seen: string[] = [];
    const first = await bus.subscribeChannel('general', () => seen.push('first'));
    await bus.subscribeChannel('general', () => seen.push('second'));
    await first();
    await first();
    await bus.publish(sampleMessage(), { channel: true });
    expect(seen).toEqual(['second']);
  });

  it('calls a handler once for one publish', async () => {
    const bus = createMemoryEventBus();
    let calls = 0;
    await bus.subscribeChannel('general', () => (calls += 1));
    await bus.publish(sampleMessage(), { channel: true });
    expect(calls).toBe(1);
  });
});

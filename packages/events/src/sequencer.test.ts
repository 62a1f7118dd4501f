import { describe, expect, it } from '@jest/globals';
import { sampleMessage, sampleTyping } from './testing/sample-events.ts';
import { createSequencerBench, settled } from './testing/sequencer-bench.ts';

describe('a sequencer', () => {
  it('delivers the next event before offer returns', () => {
    const bench = createSequencerBench(2);
    bench.sequencer.offer(bench.event(1));
    expect(bench.seqs()).toEqual([1]);
    bench.sequencer.offer(bench.event(2));
    expect(bench.seqs()).toEqual([1, 2]);
    expect(bench.sequencer.head).toBe(2);
    expect(bench.clock.waiting).toBe(0);
  });

  it('begins after the head it was given', () => {
    const bench = createSequencerBench(8, { head: 7 });
    bench.sequencer.offer(bench.event(7));
    bench.sequencer.offer(bench.event(8));
    expect(bench.seqs()).toEqual([8]);
  });

  it('buffers an out-of-order event and delivers both when the missing one comes in time, without a fetch', () => {
    const bench = createSequencerBench(3);
    bench.sequencer.offer(bench.event(3));
    bench.sequencer.offer(bench.event(2));
    bench.clock.advance(24);
    expect(bench.seqs()).toEqual([]);
    bench.sequencer.offer(bench.event(1));
    expect(bench.seqs()).toEqual([1, 2, 3]);
    bench.clock.advance(1000);
    expect(bench.fetches).toHaveLength(0);
    expect(bench.clock.waiting).toBe(0);
  });

  it('fetches a gap that was not filled in time, and reports which events came from the store', async () => {
    const bench = createSequencerBench(3);
    bench.sequencer.offer(bench.event(1));
    bench.sequencer.offer(bench.event(3));
    bench.clock.advance(24);
    expect(bench.fetches).toHaveLength(0);
    bench.clock.advance(1);
    expect(bench.fetches[0]).toMatchObject({ after: 1, limit: 200 });
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2, 3]);
    expect(bench.sources).toEqual(['live', 'store', 'live']);
    expect(bench.sequencer.stats).toMatchObject({ delivered: 3, repaired: 1, buffered: 0 });
  });

  it('counts holes, repairs and duplicates, together with other sequencers', async () => {
    const totals = { holes: 0, repaired: 0, duplicates: 0 };
    const first = createSequencerBench(5, { totals });
    for (const seq of [1, 1, 4, 4, 5]) first.sequencer.offer(first.event(seq));
    first.clock.advance(25);
    await first.fetches[0]?.answer();
    expect(first.seqs()).toEqual([1, 2, 3, 4, 5]);
    expect(totals).toEqual({ holes: 1, repaired: 2, duplicates: 2 });
    first.sequencer.close();

    const second = createSequencerBench(2, { totals });
    for (const seq of [2, 1, 2]) second.sequencer.offer(second.event(seq));
    expect(totals).toEqual({ holes: 2, repaired: 2, duplicates: 3 });
  });

  it('does not extend the wait of a buffered event when others come in the meantime', () => {
    const bench = createSequencerBench(9);
    bench.sequencer.offer(bench.event(3));
    bench.clock.advance(20);
    bench.sequencer.offer(bench.event(1));
    bench.sequencer.offer(bench.event(5));
    bench.clock.advance(5);
    expect(bench.fetches).toHaveLength(1);
  });

  it('has one fetch at a time, regardless of how much is missing and how often it is raised', async () => {
    const bench = createSequencerBench(6);
    bench.sequencer.raise(4);
    bench.sequencer.offer(bench.event(6));
    bench.sequencer.raise(6);
    bench.clock.advance(100);
    expect(bench.fetches).toHaveLength(1);
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(bench.fetches).toHaveLength(0);
  });

  it('keeps its buffered events when it is raised to a head before them', async () => {
    const bench = createSequencerBench(6, { pageSize: 4 });
    bench.sequencer.offer(bench.event(6));
    bench.sequencer.raise(4);
    await bench.fetches[0]?.answer();
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('fetches a long gap in pages', async () => {
    const bench = createSequencerBench(7, { pageSize: 3 });
    bench.sequencer.raise(7);
    const asked: number[] = [];
    for (let fetch = bench.fetches[0]; fetch !== undefined; fetch = bench.fetches[0]) {
      asked.push(fetch.after);
      await fetch.answer();
    }
    expect(asked).toEqual([0, 3, 6]);
    expect(bench.seqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('delivers live events during a fetch at once, and not again from the page', async () => {
    const bench = createSequencerBench(4);
    bench.sequencer.offer(bench.event(3));
    bench.clock.advance(25);
    bench.sequencer.offer(bench.event(1));
    expect(bench.seqs()).toEqual([1]);
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2, 3, 4]);
    expect(bench.fetches).toHaveLength(0);
  });

  it('buffers at most maxBufferedCharacters: more are dropped and fetched', async () => {
    const size = createSequencerBench(8).event(3).json.length;
    const bench = createSequencerBench(8, { maxBufferedCharacters: 2 * size });
    for (const seq of [3, 4]) bench.sequencer.offer(bench.event(seq));
    expect(bench.sequencer.stats.buffered).toBe(2);
    bench.sequencer.offer(bench.event(5));
    expect(bench.sequencer.stats).toMatchObject({ buffered: 0, overflows: 1 });
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('buffers at most maxBuffered events: more are dropped and fetched', async () => {
    const bench = createSequencerBench(8, { maxBuffered: 3 });
    for (const seq of [3, 4, 5]) bench.sequencer.offer(bench.event(seq));
    expect(bench.sequencer.stats.buffered).toBe(3);
    bench.sequencer.offer(bench.event(6));
    expect(bench.sequencer.stats).toMatchObject({ buffered: 0, overflows: 1 });
    expect(bench.fetches).toHaveLength(1);
    bench.sequencer.offer(bench.event(8));
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('delivers in order even if a handler offers further events', () => {
    // The race: a subscriber publishes event 2 in reply to event 1, before another subscriber has event 1.
    const seen: string[] = [];
    const bench = createSequencerBench(3, {
      onDeliver(event) {
        seen.push(`first sees ${event.seq}`);
        if (event.seq === 1) {
          bench.sequencer.offer(bench.event(3));
          bench.sequencer.offer(bench.event(2));
        }
        seen.push(`second sees ${event.seq}`);
      },
    });
    bench.sequencer.offer(bench.event(1));
    expect(seen).toEqual([1, 2, 3].flatMap((seq) => [`first sees ${seq}`, `second sees ${seq}`]));
    expect(bench.clock.waiting).toBe(0);
  });

  it('continues after a delivery that threw, and reports it', () => {
    const bench = createSequencerBench(3, {
      onDeliver(event) {
        if (event.seq === 1) throw new Error('broken');
      },
    });
    bench.sequencer.offer(bench.event(2));
    bench.sequencer.offer(bench.event(1));
    bench.sequencer.offer(bench.event(3));
    expect(bench.seqs()).toEqual([1, 2, 3]);
    expect(bench.errors).toEqual([expect.objectContaining({ code: 'handler_failed' })]);
  });

  it('rejects an event of another channel', () => {
    const bench = createSequencerBench(1);
    bench.sequencer.offer(sampleMessage({ channelId: 'random', seq: 1 }));
    expect(bench.seqs()).toEqual([]);
    expect(bench.errors).toEqual([expect.objectContaining({ code: 'invalid_event' })]);
  });

  it('delivers nothing once closed, not even the result of a fetch in progress', async () => {
    const bench = createSequencerBench(5);
    bench.sequencer.offer(bench.event(5));
    bench.sequencer.raise(5);
    bench.sequencer.close();
    await bench.fetches[0]?.answer();
    bench.sequencer.offer(bench.event(1));
    bench.sequencer.raise(9);
    expect(bench.seqs()).toEqual([]);
    expect(bench.fetches).toHaveLength(0);
    expect(bench.clock.waiting).toBe(0);
  });

  it('stops within a run of buffered events when a delivery closes it', () => {
    const bench = createSequencerBench(3, {
      onDeliver(event) {
        if (event.seq === 2) bench.sequencer.close();
      },
    });
    bench.sequencer.offer(bench.event(2));
    bench.sequencer.offer(bench.event(3));
    bench.sequencer.offer(bench.event(1));
    expect(bench.seqs()).toEqual([1, 2]);
  });

  it.each([
    { head: -1 },
    { head: 1.5 },
    { gapTimeoutMs: 0 },
    { maxBuffered: 0 },
    { pageSize: Number.NaN },
    { minBackoffMs: -1 },
    { maxBackoffMs: Infinity },
  ])('refuses %o', (options) => {
    expect(() => createSequencerBench(1, options)).toThrow(
      expect.objectContaining({ code: 'invalid_options' }),
    );
  });
});

describe('a sequencer whose fetch fails', () => {
  it('retries after a delay that doubles up to its bound, reports each failure and loses nothing', async () => {
    const bench = createSequencerBench(2, { minBackoffMs: 100, maxBackoffMs: 400 });
    bench.sequencer.raise(2);
    for (const delayMs of [50, 100, 200, 200, 200]) {
      expect(bench.fetches).toHaveLength(1);
      await bench.fetches[0]?.fail(new Error('database away'));
      bench.clock.advance(delayMs - 1);
      expect(bench.fetches).toHaveLength(0);
      bench.clock.advance(1);
    }
    expect(bench.errors).toHaveLength(5);
    expect(bench.errors[0]).toMatchObject({
      code: 'fetch_failed',
      cause: new Error('database away'),
    });
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2]);
    expect(bench.sequencer.stats.failedFetches).toBe(5);
    expect(bench.clock.waiting).toBe(0);
  });

  it('spreads the retries of many channels at random', async () => {
    const bench = createSequencerBench(1, { minBackoffMs: 100, random: () => 0.98 });
    bench.sequencer.raise(1);
    await bench.fetches[0]?.fail(new Error('database away'));
    bench.clock.advance(98);
    expect(bench.fetches).toHaveLength(0);
    bench.clock.advance(1);
    expect(bench.fetches).toHaveLength(1);
  });

  it('begins with the short delay again after a success', async () => {
    const bench = createSequencerBench(1);
    bench.sequencer.raise(1);
    await bench.fetches[0]?.fail(new Error('database away'));
    bench.clock.advance(50);
    await bench.fetches[0]?.fail(new Error('database away'));
    bench.clock.advance(100);
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1]);
    bench.sequencer.raise(2);
    await bench.fetches[0]?.fail(new Error('database away'));
    bench.clock.advance(50);
    expect(bench.fetches).toHaveLength(1);
  });

  it('retries at once when it is raised', async () => {
    const bench = createSequencerBench(2);
    bench.sequencer.raise(1);
    await bench.fetches[0]?.fail(new Error('database away'));
    bench.sequencer.raise(2);
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2]);
    expect(bench.clock.waiting).toBe(0);
  });

  it('delivers the next live event meanwhile, and stops retrying when nothing is missing', async () => {
    const bench = createSequencerBench(2);
    bench.sequencer.offer(bench.event(2));
    bench.clock.advance(25);
    await bench.fetches[0]?.fail(new Error('database away'));
    bench.sequencer.offer(bench.event(1));
    expect(bench.seqs()).toEqual([1, 2]);
    bench.clock.advance(10_000);
    expect(bench.fetches).toHaveLength(0);
  });

  it.each([
    ['no event', []],
    ['an event too far on', [sampleMessage({ seq: 2 })]],
    ['an event without a seq', [sampleTyping()]],
  ])('takes a page with %s for a failure', async (_, page) => {
    const bench = createSequencerBench(2);
    bench.sequencer.raise(2);
    await bench.fetches[0]?.answerWith(page);
    expect(bench.errors).toEqual([expect.objectContaining({ code: 'fetch_failed' })]);
    expect(bench.fetches).toHaveLength(0);
    bench.clock.advance(50);
    await bench.fetches[0]?.answer();
    expect(bench.seqs()).toEqual([1, 2]);
  });
});

describe('a sequencer and another epoch', () => {
  it('drops the events of another epoch and reports each epoch once', () => {
    const bench = createSequencerBench(2);
    bench.sequencer.offer(sampleMessage({ seq: 1, epoch: 'epoch-2' }));
    bench.sequencer.offer(sampleMessage({ seq: 2, epoch: 'epoch-2' }));
    expect(bench.seqs()).toEqual([]);
    expect(bench.foreign).toHaveLength(1);
    bench.sequencer.offer(sampleMessage({ seq: 1, epoch: 'epoch-3' }));
    expect(bench.foreign.map(({ epoch }) => epoch)).toEqual(['epoch-2', 'epoch-3']);
    bench.sequencer.offer(bench.event(1));
    expect(bench.seqs()).toEqual([1]);
  });

  it('does not continue one epoch with the log of another', async () => {
    // The race: before this hub learns of a restore, the restored log has grown past the hub's head.
    const bench = createSequencerBench(3, { head: 3 });
    bench.sequencer.raise(4);
    await bench.fetches[0]?.answerWith([sampleMessage({ seq: 4, epoch: 'epoch-2' })]);
    expect(bench.seqs()).toEqual([]);
    expect(bench.foreign).toHaveLength(1);
    await settled();
    expect(bench.fetches).toHaveLength(0);
  });
});

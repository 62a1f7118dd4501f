import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createCallOrder, type CallOrder } from './call-order.ts';

interface Work {
  readonly label: string;
  readonly names: readonly string[];
  readonly isChange: boolean;
  state: 'waiting' | 'running' | 'settled';
  done: Promise<string>;
  settle(outcome: 'ok' | 'failed'): void;
}

function createBench(order: CallOrder = createCallOrder()) {
  const works: Work[] = [];
  const started: Work[] = [];
  return {
    works,
    started,
    startedLabels: () => started.map(({ label }) => label),
    call: (
      names: readonly string[],
      kind: 'change' | 'read',
      label = String(works.length),
    ): Work => {
      const ended = Promise.withResolvers<string>();
      const work: Work = {
        ...{ label, names, isChange: kind === 'change', state: 'waiting' },
        done: Promise.resolve(''),
        settle(how) {
          work.state = 'settled';
          if (how === 'ok') ended.resolve(label);
          else ended.reject(new Error(label));
        },
      };
      works.push(work);
      work.done = order
        .run(names, work.isChange, () => {
          work.state = 'running';
          started.push(work);
          return ended.promise;
        })
        .catch((error: Error) => `failed ${error.message}`);
      return work;
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the order of one socket's calls", () => {
  // The store takes changes in the order in which it is called, so each change must reach the store before `run`
  // returns.
  it('begins a call before run returns when nothing is in its way', () => {
    const { call, startedLabels } = createBench();
    call(['a'], 'change', 'send');
    call(['b'], 'read', 'history of another channel');
    expect(startedLabels()).toEqual(['send', 'history of another channel']);
  });

  it('runs changes of one channel side by side', () => {
    const { call, startedLabels } = createBench();
    for (const label of ['first', 'second', 'third']) call(['a'], 'change', label);
    expect(startedLabels()).toEqual(['first', 'second', 'third']);
  });

  // The race: [subscribe, unsubscribe, send] in one frame. Invariant: each call sees the effects of the calls before
  // it, and of no later call.
  it('makes a call that is not a change wait for earlier calls, and later calls wait for it', async () => {
    const { call, startedLabels } = createBench();
    const send = call(['a'], 'change', 'send');
    const subscribe = call(['a'], 'read', 'subscribe');
    const unsubscribe = call(['a'], 'read', 'unsubscribe');
    call(['a'], 'change', 'last send');
    expect(startedLabels()).toEqual(['send']);
    send.settle('ok');
    await settled();
    expect(startedLabels()).toEqual(['send', 'subscribe']);
    subscribe.settle('ok');
    await settled();
    expect(startedLabels()).toEqual(['send', 'subscribe', 'unsubscribe']);
    unsubscribe.settle('ok');
    await settled();
    expect(startedLabels()).toEqual(['send', 'subscribe', 'unsubscribe', 'last send']);
  });

  it('makes a call on several channels wait for all of them, and calls on each of them wait for it', async () => {
    const { call, startedLabels } = createBench();
    const sends = [call(['a'], 'change', 'to a'), call(['b'], 'change', 'to b')];
    const subscribe = call(['a', 'b', 'c', 'a'], 'read', 'subscribe');
    call(['c'], 'read', 'history of c');
    sends[1]?.settle('ok');
    await settled();
    expect(startedLabels()).toEqual(['to a', 'to b']);
    sends[0]?.settle('ok');
    await settled();
    expect(startedLabels()).toEqual(['to a', 'to b', 'subscribe']);
    subscribe.settle('ok');
    await settled();
    expect(startedLabels()).toEqual(['to a', 'to b', 'subscribe', 'history of c']);
  });

  it('reports a failure to its own caller only, and continues', async () => {
    const { call } = createBench();
    const first = call(['a'], 'read', 'first');
    const second = call(['a'], 'read', 'second');
    first.settle('failed');
    expect(await first.done).toBe('failed first');
    second.settle('ok');
    expect(await second.done).toBe('second');
  });
});

// Invariants: a read overlaps no other call on its channels; calls on one channel begin in the order of arrival; no
// call waits without a reason.
describe('any sequence of calls', () => {
  const channels = ['a', 'b', 'c', 'd'];
  const step = fc.oneof(
    // A change concerns one channel. Other calls concern any number: a subscribe several channels, a ping none.
    fc.record({ do: fc.constant('change' as const), name: fc.constantFrom(...channels) }),
    fc.record({
      do: fc.constant('read' as const),
      names: fc.array(fc.constantFrom(...channels), { maxLength: 3 }),
    }),
    fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(),
      how: fc.constantFrom('ok' as const, 'failed' as const),
    }),
  );

  const share = (one: Work, other: Work) => one.names.some((name) => other.names.includes(name));
  const mayOverlap = (one: Work, other: Work) =>
    !share(one, other) || (one.isChange && other.isChange);

  function check({ works, started }: ReturnType<typeof createBench>): void {
    const running = works.filter(({ state }) => state === 'running');
    for (const one of running) {
      for (const other of running) expect(one === other || mayOverlap(one, other)).toBe(true);
    }
    for (const channel of channels) {
      const onIt = (work: Work) => work.names.includes(channel);
      const arrivals = works.filter(onIt).map(({ label }) => label);
      const starts = started.filter(onIt).map(({ label }) => label);
      expect(starts).toEqual(arrivals.slice(0, starts.length));
    }
    for (const work of works.filter(({ state }) => state === 'waiting')) {
      const before = works.slice(0, works.indexOf(work));
      expect(before.some((other) => other.state !== 'settled' && !mayOverlap(work, other))).toBe(
        true,
      );
    }
  }

  it('keeps each channel in order, overlaps only changes, and ends with every call answered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const bench = createBench();
        for (const next of steps) {
          if (next.do === 'change') bench.call([next.name], 'change');
          else if (next.do === 'read') bench.call(next.names, 'read');
          else {
            const running = bench.works.filter(({ state }) => state === 'running');
            running[next.which % running.length]?.settle(next.how);
            await settled();
          }
          check(bench);
        }
        while (bench.works.some(({ state }) => state !== 'settled')) {
          const running = bench.works.filter(({ state }) => state === 'running');
          expect(running.length).toBeGreaterThan(0);
          for (const work of running) work.settle('ok');
          await settled();
          check(bench);
        }
        await Promise.all(bench.works.map(({ done }) => done));
      }),
      { numRuns: 300 },
    );
  });
});

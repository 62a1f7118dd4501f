import { afterEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { createFairLane, type FairLaneOptions } from './fair-lane.ts';

const finish: (() => void)[] = [];
afterEach(() => finish.splice(0).forEach((one) => one()));

function laneOf(options: Partial<FairLaneOptions> = {}) {
  const lane = createFairLane({
    width: 3,
    widthPerAgent: 2,
    maxCalls: 20,
    timeoutMs: 20_000,
    ...options,
  });
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  let isOver = false;
  finish.push(() => {
    isOver = true;
    ends.forEach((end) => end());
  });
  return {
    lane,
    started,
    ask: (agentId: string | null, name: string) =>
      lane
        .run(agentId, () => {
          started.push(name);
          return new Promise<void>((resolve) => (isOver ? resolve() : ends.set(name, resolve)));
        })
        .then(
          () => 'ok',
          (error: { code: string }) => error.code,
        ),
    end: async (...names: readonly string[]) => {
      for (const name of names) {
        await waitFor(() => ends.has(name));
        ends.get(name)?.();
      }
      await new Promise(setImmediate);
    },
  };
}

describe('a fair lane', () => {
  it('lets agents take turns, and no agent use all slots', async () => {
    const { ask, started, end } = laneOf();
    for (const n of [1, 2, 3, 4, 5]) void ask('storm', `storm ${n}`);
    void ask('ana', 'ana 1');
    void ask('ana', 'ana 2');
    void ask('ben', 'ben 1');
    expect(started).toEqual(['storm 1', 'storm 2', 'ana 1']);
    await end('storm 1', 'ana 1', 'storm 2', 'ben 1');
    expect(started.slice(3)).toEqual(['storm 3', 'ana 2', 'ben 1', 'storm 4']);
  });

  it('serves the hub itself first, but leaves a slot for others', async () => {
    const { ask, started, end } = laneOf();
    for (const n of [1, 2, 3]) void ask('storm', `storm ${n}`);
    void ask('ana', 'ana 1');
    for (const n of [1, 2, 3]) void ask(null, `hub ${n}`);
    await end('storm 1');
    await end('storm 2');
    await end('ana 1');
    expect(started.slice(0, 3)).toEqual(['storm 1', 'storm 2', 'ana 1']);
    expect(started.slice(3)).toEqual(['hub 1', 'hub 2', 'storm 3']);
  });

  it('refuses calls over its limit of the agent with the most waiting calls', async () => {
    const { ask, started, lane } = laneOf({ maxCalls: 6 });
    const storm = [1, 2, 3, 4, 5, 6].map((n) => ask('storm', `storm ${n}`));
    expect(await ask('storm', 'storm 7')).toBe('rate_limited');
    void ask('ana', 'ana 1');
    void ask('ben', 'ben 1');
    expect(await Promise.all(storm.slice(4))).toEqual(['rate_limited', 'rate_limited']);
    expect(started).toEqual(['storm 1', 'storm 2', 'ana 1']);
    expect(lane.waiting).toBe(3);
    void ask('cem', 'cem 1');
    expect(await storm[3]).toBe('rate_limited');
    // No agent has more than one waiting call, so the lane is simply full.
    expect(await ask('dan', 'dan 1')).toBe('unavailable');
  });

  it('never makes a call that timed out while it waited', async () => {
    const { ask, started, end, lane } = laneOf({ width: 1, timeoutMs: 30 });
    const [first, second] = [ask('ana', 'first'), ask('ana', 'second')];
    expect(await Promise.all([first, second])).toEqual(['unavailable', 'unavailable']);
    expect(lane.waiting).toBe(0);
    // The first call still counts as running, because the database has not ended it.
    const third = ask('ben', 'third');
    expect(started).toEqual(['first']);
    await end('first', 'third');
    expect([started, await third]).toEqual([['first', 'third'], 'ok']);
  });

  it('continues after calls that fail', async () => {
    const { lane } = laneOf({ width: 1 });
    const failing = lane.run('ana', () => Promise.reject(new Error('no')));
    const next = lane.run('ana', () => Promise.resolve('yes'));
    await expect(failing).rejects.toMatchObject({ code: 'internal' });
    expect(await next).toBe('yes');
  });
});

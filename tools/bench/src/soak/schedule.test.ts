import { describe, expect, it } from '@jest/globals';
import { faultKind, fittingFaults, partOf } from './faults.ts';
import { createRandom } from './random.ts';
import { createSchedule, formatFault, type ScheduledFault } from './schedule.ts';

const kinds = fittingFaults({ db: 'sqlite', redis: 'single', hubs: 3 });
function draw(seed: number, count: number): ScheduledFault[] {
  const schedule = createSchedule(createRandom(seed), kinds, 3, { pauseMs: [1_000, 2_000] });
  return Array.from({ length: count }, () => schedule.next().value);
}

describe('a schedule', () => {
  it('depends only on the seed', () => {
    expect(draw(7, 50)).toEqual(draw(7, 50));
    expect(draw(7, 50)).not.toEqual(draw(8, 50));
  });

  it('has every kind in every round, in another order each time', () => {
    const faults = draw(3, 2 * kinds.length).map(({ kind }) => kind);
    const rounds = [faults.slice(0, kinds.length), faults.slice(kinds.length)];
    for (const round of rounds) expect(round.toSorted()).toEqual(kinds.toSorted());
    expect(rounds[0]).not.toEqual(rounds[1]);
  });

  it('overlaps faults of different parts on request', () => {
    const pace = { pauseMs: [1_000, 2_000], overlaps: true } as const;
    const schedule = createSchedule(createRandom(1), kinds, 3, pace);
    for (let i = 0; i < 100; i += 1) {
      const { kind, overlapping: together } = schedule.next().value;
      expect(together && partOf(together.kind)).not.toBe(partOf(kind));
      expect(together).toBeDefined();
    }
    const alone = createSchedule(createRandom(1), ['redis.kill', 'redis.wipe'], 3, pace);
    expect(alone.next().value.overlapping).toBeUndefined();
  });

  it('keeps to the bounds of each kind', () => {
    for (const { kind, hub, holdMs, pauseMs } of draw(11, 500)) {
      const [min, max] = faultKind(kind).holdMs;
      expect(holdMs).toBeGreaterThanOrEqual(min);
      expect(holdMs).toBeLessThanOrEqual(max);
      expect([0, 1, 2]).toContain(hub);
      expect(pauseMs).toBeGreaterThanOrEqual(1_000);
      expect(pauseMs).toBeLessThanOrEqual(2_000);
    }
  });

  it('has only faults that the system can have', () => {
    expect(kinds).not.toContain('hub.freeze');
    expect(kinds).not.toContain('sentinel.failover');
    const other = fittingFaults({ db: 'postgres', redis: 'sentinel', hubs: 3 });
    expect(other).toEqual(expect.arrayContaining(['hub.freeze', 'sentinel.failover']));
    expect(other).not.toContain('redis.kill');
  });

  it('names the hub only if the fault affects one', () => {
    const fault = { hub: 1, holdMs: 1_500, pauseMs: 0 };
    expect(formatFault({ ...fault, kind: 'redis.kill' })).toBe('redis.kill for 1.5 s');
    expect(formatFault({ ...fault, kind: 'hub.kill', holdMs: 0 })).toBe('hub.kill hub-2');
  });
});

import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SoakReport } from './report.ts';
import { formatReport } from './report.ts';
import { runSoak } from './run-soak.ts';
import type { ScheduledFault } from './schedule.ts';

const schedule: readonly ScheduledFault[] = [
  { kind: 'redis.kill', hub: 0, holdMs: 1_500, pauseMs: 500 },
  { kind: 'clients.drop', hub: 0, holdMs: 0, pauseMs: 1_000 },
  { kind: 'hub.kill', hub: 1, holdMs: 500, pauseMs: 1_000 },
  { kind: 'redis.cut', hub: 2, holdMs: 1_500, pauseMs: 1_000 },
  { kind: 'redis.wipe', hub: 0, holdMs: 0, pauseMs: 1_000 },
  { kind: 'hub.stop', hub: 0, holdMs: 0, pauseMs: 1_000 },
];

let account: SoakReport;
const said: string[] = [];
beforeAll(async () => {
  account = await runSoak(
    {
      seed: 1,
      system: { db: 'sqlite', redis: 'single', hubs: 3 },
      fleet: { agents: 6, channels: 2, directs: 3 },
      workload: { rate: 60, guestEveryMs: 5_000, guestStayMs: [1_000, 3_000] },
      // The schedule ends long before this time, except on a busy machine.
      durationMs: 80_000,
      maxRestMs: 8_000,
      schedule: schedule.values(),
    },
    { onProgress: (line) => said.push(line) },
  );
}, 200_000);

describe('three hubs under a short soak', () => {
  it('deliver everything once and in order', () => {
    if (account.violationCount > 0) throw new Error(formatReport(account));
    expect(account.sends.sends).toBeGreaterThan(300);
    expect(account.sends.acked + account.sends.failed).toBe(account.sends.sends);
    expect(account.deliveries).toBeGreaterThan(account.sends.acked * 5);
    expect(account.logFolder).toBeNull();
    expect(account.errands?.asks).toBeGreaterThan(10);
    // Negative control: the errands had every outcome.
    for (const kind of ['done', 'declined', 'expired', 'answers'] as const)
      expect([kind, account.errands?.[kind]]).not.toEqual([kind, 0]);
  });

  // Negative control: a run without faults would prove nothing.
  it('had every fault of the schedule, and clients lost connections', () => {
    const struck = account.faults.filter(({ count }) => count === 1).map(({ kind }) => kind);
    expect(struck).toEqual(schedule.map(({ kind }) => kind).toSorted());
    const redisKilled = account.faults.find(({ kind }) => kind === 'redis.kill');
    // In three of the faults, a hub lost all its clients. Each time it had at least two.
    expect(account.losses).toBeGreaterThanOrEqual(6);
    // Without Redis, hubs found events only by checking the log, which takes longer.
    expect(redisKilled?.slowestLive?.max).toBeGreaterThan(100);
    expect(redisKilled?.redisBack?.count).toBe(1);
    expect(said.filter((line) => line.includes('recovered'))).toHaveLength(schedule.length);
  });
});

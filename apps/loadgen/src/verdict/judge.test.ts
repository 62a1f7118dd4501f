import { describe, expect, it } from '@jest/globals';
import type { LatencyName } from '../measure/latencies.ts';
import type { Measurement, Outcome } from '../measure/outcome.ts';
import { goodMeasurement, outcomeWith, summary, thresholdsOf } from '../testing/outcomes.ts';
import { isRampHolding, judge } from './judge.ts';

const judged = (outcome: Outcome) => judge(outcome, thresholdsOf(outcome));
const failing = (changes: Partial<Measurement>) =>
  judged(outcomeWith(changes))
    .checks.filter(({ holds }) => holds === false)
    .map(({ id }) => id);
const withLatency = (name: LatencyName, p99: number | null): Partial<Measurement> => ({
  latencies: { ...goodMeasurement.latencies, [name]: p99 === null ? null : summary(p99) },
});
const busyMachine = { machine: { cores: 2, busy: 0.99, stolen: 0 } };

describe('a verdict', () => {
  it('is pass for a good run, and each threshold fails alone if its measure is bad', () => {
    expect(judged(outcomeWith())).toMatchObject({ verdict: 'pass', reasons: [] });
    expect(failing(withLatency('delivery', 50))).toEqual(['delivery.p99']);
    expect(failing(withLatency('ack', 100))).toEqual(['ack.p99']);
    expect(failing(withLatency('presence', 100))).toEqual(['presence.p99']);
    expect(failing(withLatency('typing', 100))).toEqual(['typing.p99']);
    expect(failing({ operationsPerSecond: 999 })).toEqual(['throughput']);
    expect(failing({ hub: { cpuUsPerDelivery: 1, cores: 1, rssBytes: 500 * 2 ** 20 } })).toEqual([
      'memory',
    ]);
    expect(failing({ connected: 111 })).toEqual(['connections']);
    expect(failing({ lost: 1 })).toEqual(['order']);
    expect(failing({ doubled: 1 })).toEqual(['order']);
    expect(failing({ errors: { timeout: 1 } })).toEqual(['errors']);
  });

  it('names each failed threshold with its limit', () => {
    expect(judged(outcomeWith(withLatency('delivery', 77))).reasons).toEqual([
      'message delivery p99: 77.0 ms, and the limit is < 50 ms.',
    ]);
  });

  it('is fail if the planned measurements are missing, unless the run was interrupted', () => {
    expect(failing(withLatency('typing', null))).toEqual(['typing.p99']);
    const interrupted = { ...outcomeWith(withLatency('typing', null)), isInterrupted: true };
    expect(judged(interrupted).verdict).toBe('pass');
  });

  it('asks for less throughput when operations were not possible', () => {
    expect(failing({ operationsPerSecond: 950 })).toEqual(['throughput']);
    expect(failing({ operationsPerSecond: 950, skipped: 500 })).toEqual([]);
  });

  it('does not ask for what the plan does not contain', () => {
    const { checks } = judged(outcomeWith());
    expect(checks.map(({ id }) => id)).not.toContain('direct.p99');
  });

  it('leaves the memory open without the hub’s pid', () => {
    const { checks, verdict } = judged(outcomeWith({ hub: null }));
    expect(checks.find(({ id }) => id === 'memory')?.holds).toBeNull();
    expect(verdict).toBe('pass');
  });
});

describe('an inconclusive verdict', () => {
  const slow = withLatency('delivery', 80);

  it.each([
    ['the machine was busy', busyMachine, 'cores were busy 99.0%'],
    [
      'the event loop was busy',
      { generator: { cores: 1, loopUtilization: 0.95 } },
      'event loop was busy 95.0%',
    ],
    ['the host took CPU', { machine: { cores: 2, busy: 0.5, stolen: 0.2 } }, 'took 20.0%'],
    [
      'the generator was late',
      { latencies: { ...slow.latencies, lateness: summary(30) } as Measurement['latencies'] },
      'late by 30.0 ms',
    ],
  ])('is given when a threshold failed and %s, and says why', (_, changes, part) => {
    const { verdict, reasons } = judged(outcomeWith({ ...slow, ...changes }));
    expect(verdict).toBe('inconclusive');
    expect(reasons.join(' ')).toContain(part);
  });

  it('is not given when every threshold holds on a busy machine', () => {
    expect(judged(outcomeWith(busyMachine)).verdict).toBe('pass');
  });

  it('is not given for a failure that a busy machine cannot explain', () => {
    expect(judged(outcomeWith({ ...slow, ...busyMachine, lost: 1 })).verdict).toBe('fail');
    const refused = { ...slow, ...busyMachine, errors: { rate_limited: 1 } };
    expect(judged(outcomeWith(refused)).verdict).toBe('fail');
    const late = { ...slow, ...busyMachine, errors: { timeout: 1 } };
    expect(judged(outcomeWith(late)).verdict).toBe('inconclusive');
  });

  it('is not given on a machine with time to spare', () => {
    expect(judged(outcomeWith(slow)).verdict).toBe('fail');
  });
});

describe('the verdict of a ramp', () => {
  function ramp(...parts: Partial<Measurement>[]): Outcome {
    const outcome = outcomeWith();
    const stages = parts.map((changes, index) => ({
      stage: { factor: 2 ** index, durationMs: 10_000 },
      measurement: { ...goodMeasurement, operationsPerSecond: 1_020 * 2 ** index, ...changes },
    }));
    return { ...outcome, plan: { ...outcome.plan, isRamp: true }, stages };
  }

  it('is that of the highest stage that holds, and says where it broke', () => {
    const outcome = ramp({}, {}, withLatency('delivery', 300));
    const { verdict, reasons, stages } = judged(outcome);
    expect(verdict).toBe('pass');
    expect(stages.map((stage) => stage.verdict)).toEqual(['pass', 'pass', 'fail']);
    expect(reasons).toEqual([
      'It held 2,040 calls/s (2.00 times the plan).',
      'It broke at 4,080 calls/s (4.00 times the plan).',
      'message delivery p99: 300 ms, and the limit is < 50 ms.',
    ]);
  });

  it('is fail if the first stage does not hold', () => {
    expect(judged(ramp({ lost: 1 })).verdict).toBe('fail');
  });

  it('needs the multiple of the throughput in each stage', () => {
    expect(judged(ramp({}, { operationsPerSecond: 1_900 })).stages[1]?.verdict).toBe('fail');
  });

  it('lets the ramp continue only while its last stage passes', () => {
    const holding = ramp({}, {});
    expect(isRampHolding(holding, thresholdsOf(holding))).toBe(true);
    const broken = ramp({}, { ...withLatency('ack', 300), ...busyMachine });
    expect(isRampHolding(broken, thresholdsOf(broken))).toBe(false);
  });
});

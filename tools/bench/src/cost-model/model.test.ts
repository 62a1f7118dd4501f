import { describe, expect, it } from '@jest/globals';
import {
  receivingMicros,
  redisCommandsPerMessage,
  redisOutputPerMessage,
  sendingMicros,
  sqliteMessageBytes,
} from './model.ts';
import { fleets, hubsOfChannel, planFor } from './plan.ts';
import { formatPlans, formatRows, holds } from './report.ts';

const load = {
  contentBytes: 200,
  perSecond: 500,
  senders: 10,
  hubs: 1,
  fanOut: 100,
  turns: 1,
};

describe('the cost model', () => {
  // Each size was measured with thousands of messages in 10 channels.
  it.each([
    [100, 1_281],
    [500, 1_599],
    [1_000, 2_284],
    [2_000, 4_336],
    [3_500, 4_840],
    [4_000, 5_012],
    [8_000, 9_010],
  ])('knows how many pages of SQLite a text of %i characters takes', (characters, bytes) => {
    expect(Math.abs(sqliteMessageBytes(characters) / bytes - 1)).toBeLessThan(0.02);
  });

  it('charges less for messages that share a turn', () => {
    const shared = { ...load, turns: 0.1 };
    expect(sendingMicros(shared)).toBeLessThan(sendingMicros(load));
    expect(receivingMicros(shared)).toBeLessThan(receivingMicros(load));
  });

  it('charges an exchange of the rate limit for each sender, at most one a message', () => {
    expect(redisCommandsPerMessage({ ...load, senders: 0 })).toBe(5);
    expect(redisCommandsPerMessage({ ...load, senders: 1_000 })).toBe(
      redisCommandsPerMessage({ ...load, senders: 50 }),
    );
  });

  it('charges the output of Redis for each hub that follows the channel', () => {
    const more = redisOutputPerMessage({ ...load, hubs: 3 }) - redisOutputPerMessage(load);
    expect(more).toBe(2 * (200 + 660));
  });
});

describe('a plan', () => {
  it('has a channel on one hub when there is one, and on as many as it has members when there are many', () => {
    expect(hubsOfChannel(20, 1)).toBe(1);
    expect(hubsOfChannel(20, 1_000_000)).toBeCloseTo(20, 2);
    expect(hubsOfChannel(20, 10)).toBeLessThan(10);
  });

  it('grows with the fleet, and divides the largest one among several systems', () => {
    const plans = fleets.filter(({ areMembersTogether }) => !areMembersTogether).map(planFor);
    expect(plans.map(({ agents }) => agents)).toEqual([111, 1_000, 10_000, 100_000, 1_000_000]);
    for (const name of ['hubs', 'systems', 'redisCores', 'databaseBytesPerDay'] as const) {
      const values = plans.map((plan) => plan[name]);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
    expect(plans[0]).toMatchObject({ hubs: 1, systems: 1 });
    expect(plans.at(-1)?.systems).toBeGreaterThan(1);
    expect(formatPlans(plans).split('\n')).toHaveLength(plans.length + 1);
  });

  it('needs fewer hubs and less of Redis when the members of a channel are on one hub', () => {
    const fleet = fleets.find(({ agents }) => agents === 100_000);
    if (!fleet) throw new Error('no such fleet');
    const spread = planFor({ ...fleet, areMembersTogether: false });
    const together = planFor({ ...fleet, areMembersTogether: true });
    expect(together.hubs).toBeLessThan(spread.hubs);
    expect(together.redisCores).toBeLessThan(spread.redisCores);
    expect(together.databaseBytesPerDay).toBe(spread.databaseBytesPerDay);
  });
});

describe('a comparison', () => {
  const row = { cost: 'c', unit: 'bytes', model: 100, measured: 100, withinFactor: 1.2 };
  it.each([
    [100, true],
    [119, true],
    [84, true],
    [121, false],
    [83, false],
    [0, false],
    [-100, false],
    [Number.NaN, false],
  ])('of 100 with %d within a factor of 1.2 holds: %j', (measured, expected) => {
    expect(holds({ ...row, measured })).toBe(expected);
    expect(formatRows([{ ...row, measured }]).includes('OFF BY')).toBe(!expected);
  });

  it('holds within the noise too, but never without a measurement', () => {
    expect(holds({ ...row, model: 5, measured: 14, noise: 10 })).toBe(true);
    expect(holds({ ...row, model: 5, measured: 16, noise: 10 })).toBe(false);
    expect(holds({ ...row, model: 5, measured: -1, noise: 10 })).toBe(false);
  });
});

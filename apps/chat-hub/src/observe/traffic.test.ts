import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope } from '@openclaw/protocol';
import { createAgentActivity } from './agent-activity.ts';
import { createMetrics } from './metrics.ts';
import { createTraffic, RecentLatency } from './traffic.ts';

const nowMs = 1_000_000;
function bench(maxChannels?: number) {
  const latencies: number[] = [];
  const metrics = createMetrics();
  metrics.deliverySeconds.observe = (seconds: unknown) => latencies.push(Number(seconds) * 1_000);
  const traffic = createTraffic(metrics, maxChannels, () => nowMs);
  const hand = (channelId: string, ageMs: number, sockets = 1, seq: number | null = 1) => {
    const event = { type: 'collaboration.event', channelId, name: 'n', payload: {} } as const;
    const rest = { id: 'i', senderId: 's', senderKind: null, channelId, seq, epoch: 'e' };
    traffic.written([
      {
        channelId,
        sockets,
        events: [encodeEnvelope({ ...rest, event, timestamp: nowMs - ageMs })],
      },
    ]);
  };
  return { traffic, latencies, hand };
}

describe('traffic', () => {
  it('counts durable events and the latency of each delivery', () => {
    const { traffic, latencies, hand } = bench();
    hand('a', 2, 99);
    hand('b', 2_000, 1);
    hand('a', 5, 10, null);
    expect(traffic.events).toBe(2);
    expect(latencies).toEqual([2, 2_000]);
    expect(traffic.latency().deliveryMs).toMatchObject({ p50: 2, p90: 2, p99: 2 });
  });

  it('counts a timestamp in the future as no latency', () => {
    const { traffic, hand } = bench();
    hand('a', -500);
    expect(traffic.latency().deliveryMs?.p99).toBe(0);
  });

  it('lists the busiest channels, and the slowest even when they are not busy', () => {
    const { traffic, hand } = bench();
    for (let i = 0; i < 30; i++) hand(`busy-${i}`, 1, 1_000 + i);
    hand('slow', 5_000, 1);
    const shown = traffic.channels(20);
    expect(shown).toHaveLength(20);
    expect(shown[0]).toMatchObject({ channelId: 'busy-29' });
    expect(shown.at(-1)?.channelId).toBe('slow');
  });

  // The fault: each lost claim counted as a refusal, so agents that compete for claims seemed to fail.
  it('counts refusals and faults of an agent, but no race that it lost', () => {
    const agents = createAgentActivity(() => nowMs);
    const traffic = createTraffic(createMetrics(), undefined, () => nowMs, agents);
    for (const method of ['claim', 'ask.accept'] as const)
      traffic.called(method, 'ws', 'conflict', 1, 'bot');
    traffic.called('message.send', 'ws', 'superseded', 1, 'bot');
    expect(agents.reportOf('bot')).toBeNull();
    traffic.called('claim', 'ws', 'forbidden', 1, 'bot');
    // The same clientMessageId with another content is a mistake of the agent.
    traffic.called('message.send', 'ws', 'conflict', 1, 'bot');
    traffic.called('claim', 'ws', 'timeout', 1, 'bot');
    expect(agents.reportOf('bot')).toMatchObject({
      ...{ refusals: 2, errors: 1, lastRefusal: { code: 'conflict', at: nowMs } },
    });
  });

  it('evicts the channel that was silent longest when there are too many', () => {
    const { traffic, hand } = bench(2);
    for (const channelId of ['a', 'b', 'a', 'c']) hand(channelId, 1);
    expect(
      traffic
        .channels(9)
        .map(({ channelId }) => channelId)
        .sort(),
    ).toEqual(['a', 'c']);
  });
});

describe('recent latency', () => {
  it('answers percentiles that are exact to 1/32 or a tenth of a millisecond', () => {
    const recent = new RecentLatency();
    for (const scale of [0.1, 3, 700]) {
      const own = new RecentLatency();
      for (let i = 1; i <= 1_000; i++) own.record(i * scale);
      const { p50, p90, p99 } = own.percentiles() ?? { p50: 0, p90: 0, p99: 0 };
      for (const [found, truth] of [
        [p50, 500 * scale],
        [p90, 900 * scale],
        [p99, 990 * scale],
      ] as const) {
        const true_ = Math.min(truth, 65_536);
        expect(Math.abs(found - true_)).toBeLessThanOrEqual(Math.max(0.1, true_ / 31));
      }
    }
    expect(recent.percentiles()).toBeNull();
  });

  it('is exact for short latencies in whole milliseconds', () => {
    for (const ms of [0, 1, 2]) {
      const recent = new RecentLatency();
      recent.record(ms);
      expect(recent.percentiles()).toEqual({ p50: ms, p90: ms, p99: ms });
    }
  });

  it('counts a latency with its weight', () => {
    const recent = new RecentLatency();
    recent.record(1, 98);
    recent.record(100, 2);
    const found = recent.percentiles();
    expect(found).toMatchObject({ p50: 1, p90: 1 });
    expect(found?.p99).toBeGreaterThan(95);
  });

  it('survives values that no clock should give: negative, infinite, huge', () => {
    const recent = new RecentLatency();
    for (const odd of [-5, Infinity, 1e12]) recent.record(odd);
    expect(recent.percentiles()?.p50).toBeGreaterThan(60_000);
  });

  it('forgets after one or two slices, and answers rates per second', () => {
    let nowMs = 0;
    const recent = new RecentLatency(() => nowMs);
    for (let second = 0; second < 10; second++) {
      nowMs = second * 1_000;
      for (let i = 0; i < 20; i++) recent.record(1, 3);
    }
    nowMs = 9_999;
    expect(recent.rates().perSecond).toBeCloseTo(20, 0);
    expect(recent.rates().weightPerSecond).toBeCloseTo(60, 0);
    nowMs = 12_000;
    expect(recent.percentiles()).not.toBeNull();
    nowMs = 22_000;
    expect(recent.percentiles()).toBeNull();
    expect(recent.rates()).toEqual({ perSecond: 0, weightPerSecond: 0 });
  });
});

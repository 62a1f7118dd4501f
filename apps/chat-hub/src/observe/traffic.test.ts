import { describe, expect, it } from '@jest/globals';
import { encodeEnvelope } from '@openclaw/protocol';
import { createTraffic } from './traffic.ts';

const nowMs = 1_000_000;
function bench(maxChannels?: number) {
  const latencies: number[] = [];
  const traffic = createTraffic({
    onLatency: (latencyMs) => latencies.push(latencyMs),
    clock: () => nowMs,
    ...(maxChannels !== undefined && { maxChannels }),
  });
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
    expect(traffic.latency()).toMatchObject({ p50: 2, p90: 2, p99: 2 });
  });

  it('counts a timestamp in the future as no latency', () => {
    const { traffic, hand } = bench();
    hand('a', -500);
    expect(traffic.latency()?.p99).toBe(0);
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

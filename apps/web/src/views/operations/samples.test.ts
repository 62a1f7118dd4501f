import { describe, expect, it } from '@jest/globals';
import type { Operations } from '@openclaw/protocol';
import { bytesText, countText, durationText, millisecondsText } from './format-figures.ts';
import { sampleOf, withSample } from './samples.ts';

function snapshotOf(timestamp: number, messages: number, more: Partial<Operations> = {}) {
  const counters = { messages, deliveries: messages * 10 };
  const latency = { ackMs: { p50: 1, p90: 2, p99: 3 }, deliveryMs: null };
  return { timestamp, hubId: 'a', counters, latency, sockets: 7, ...more } as Operations;
}

describe('a sample', () => {
  const before = snapshotOf(1_000, 10);

  it('has the rates between two snapshots', () => {
    expect(sampleOf(snapshotOf(3_000, 30), before)).toEqual({
      ...{ atSeconds: 3, messages: 10, deliveries: 100, sockets: 7 },
      ...{ ackP50: 1, ackP99: 3, deliveryP50: null, deliveryP99: null },
    });
  });

  it('has no rates without an earlier snapshot of the same hub', () => {
    expect(sampleOf(before, null).messages).toBeNull();
    expect(sampleOf(snapshotOf(2_000, 20, { hubId: 'b' }), before).messages).toBeNull();
    // A hub that was restarted under its old id counts from zero.
    expect(sampleOf(snapshotOf(2_000, 1), before).messages).toBeNull();
  });

  it('is kept for five minutes', () => {
    let samples: ReturnType<typeof withSample> = [];
    for (let n = 0; n < 400; n += 1)
      samples = withSample(samples, sampleOf(snapshotOf(n * 1_000, 0), null));
    expect(samples).toHaveLength(300);
    expect(samples.at(-1)?.atSeconds).toBe(399);
  });
});

describe('a figure', () => {
  it('is short, and a dash when it is unknown', () => {
    expect([
      countText(7),
      countText(3.44),
      countText(1234),
      countText(98_765),
      countText(null),
    ]).toEqual([...['7', '3.4', '1.2k', '99k', '–']]);
    expect([millisecondsText(0.44), millisecondsText(12.3), millisecondsText(undefined)]).toEqual([
      ...['0.4 ms', '12 ms', '–'],
    ]);
    expect([bytesText(0), bytesText(1536), bytesText(52_428_800)]).toEqual([
      '0 B',
      '1.5 KiB',
      '50 MiB',
    ]);
    expect([durationText(4_000), durationText(3_700_000)]).toEqual(['4 s', '1 h 1 min']);
  });
});

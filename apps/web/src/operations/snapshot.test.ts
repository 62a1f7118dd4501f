import { describe, expect, it } from '@jest/globals';
import { bytesText, countText, durationText, millisecondsText } from './figures.ts';
import { sampleOf, withSample } from './snapshot.ts';

describe('a sample', () => {
  const before = { timestamp: 1_000, hubId: 'a', counters: { messages: 10, deliveries: 100 } };

  it('holds rates between one snapshot and the next', () => {
    const now = {
      ...before,
      timestamp: 3_000,
      counters: { messages: 30, deliveries: 100 },
      sockets: 7,
    };
    expect(sampleOf(now, before)).toMatchObject({
      atSeconds: 3,
      messages: 10,
      deliveries: 0,
      sockets: 7,
    });
  });

  it('holds no rate for what is not known, or not of the same hub', () => {
    expect(sampleOf(before, null).messages).toBeNull();
    expect(sampleOf({ timestamp: 2_000 }, before).messages).toBeNull();
    expect(sampleOf({ ...before, timestamp: 2_000, hubId: 'b' }, before).messages).toBeNull();
    const anew = { ...before, timestamp: 2_000, counters: { messages: 1, deliveries: 1 } };
    expect(sampleOf(anew, before).messages).toBeNull();
  });

  it('pushes out the oldest of five minutes', () => {
    let samples: ReturnType<typeof withSample> = [];
    for (let n = 0; n < 400; n += 1)
      samples = withSample(samples, sampleOf({ timestamp: n * 1_000 }, null));
    expect(samples).toHaveLength(300);
    expect(samples.at(-1)?.atSeconds).toBe(399);
  });
});

describe('a figure', () => {
  it('is short, and a dash for what is not known', () => {
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

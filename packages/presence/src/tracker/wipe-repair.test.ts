import { describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createWipeDetector } from './wipe-repair.ts';

const keys = createKeySchema();

function createBench(channels: Set<string>) {
  const lost = new Set<string>();
  const unexpected = new Set<string>();
  const looks: string[][] = [];
  const detector = createWipeDetector({
    redis: {
      async pipeline(calls) {
        const names = (calls as [string, string][]).map(([, key]) => key.split(':').at(-1) ?? '');
        looks.push(names);
        return names.map((name) => (lost.has(name) ? null : '1900000000000'));
      },
    },
    keys,
    channelIds: () => channels.values(),
    leasesOf: (channelId) => [{ channelId, lease: { agentId: 'a', hubId: 'hub', sessionId: 's' } }],
    isExpected: ({ channelId }) => channels.has(channelId) && !unexpected.has(channelId),
  });
  return { ...{ detector, channels, lost, unexpected, looks } };
}
const named = (count: number) => new Set(Array.from({ length: count }, (_, n) => `c${n}`));

describe('the wipe detector', () => {
  it('checks a few channels at a time, each in its turn', async () => {
    const { detector, looks, lost } = createBench(named(50));
    lost.add('c49');
    expect([await detector.look(), await detector.look(), await detector.look()]).toEqual([
      false,
      false,
      true,
    ]);
    expect(looks.map((channels) => channels.length)).toEqual([20, 20, 20]);
    expect(looks.flat().slice(0, 50)).toEqual([...named(50)]);
    expect(looks.flat().slice(50)).toEqual([...named(10)]);
  });

  it('checks nothing without leases, and a single channel each time', async () => {
    const { detector, channels, looks, lost } = createBench(new Set());
    expect(await detector.look()).toBe(false);
    expect(looks).toEqual([]);
    channels.add('c');
    expect(await detector.look()).toBe(false);
    lost.add('c');
    expect(await detector.look()).toBe(true);
    expect(looks).toEqual([['c'], ['c']]);
  });

  // The race: the check is sent before a join is answered, or is answered after a leave.
  it('ignores a lease that Redis need not have yet, or need not have any more', async () => {
    const { detector, channels, lost, unexpected } = createBench(new Set(['joining', 'left']));
    lost.add('joining').add('left');
    unexpected.add('joining');
    const looking = detector.look();
    channels.delete('left');
    expect(await looking).toBe(false);
    unexpected.delete('joining');
    expect(await detector.look()).toBe(true);
  });
});

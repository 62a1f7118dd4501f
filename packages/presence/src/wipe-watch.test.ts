import { describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createWipeWatch } from './wipe-watch.ts';

const keys = createKeySchema();

/** A watch over channels of which Redis has lost those in `lost`. */
function createBench(channels: Set<string>) {
  const lost = new Set<string>();
  const unowed = new Set<string>();
  const looks: string[][] = [];
  const watch = createWipeWatch({
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
    isOwed: ({ channelId }) => channels.has(channelId) && !unowed.has(channelId),
  });
  return { ...{ watch, channels, lost, unowed, looks } };
}
const named = (count: number) => new Set(Array.from({ length: count }, (_, n) => `c${n}`));

describe('the look for lost leases', () => {
  it('takes a few channels at a time, each in its turn', async () => {
    const { watch, looks, lost } = createBench(named(50));
    lost.add('c49');
    expect([await watch.look(), await watch.look(), await watch.look()]).toEqual([
      false,
      false,
      true,
    ]);
    expect(looks.map((channels) => channels.length)).toEqual([20, 20, 20]);
    expect(looks.flat().slice(0, 50)).toEqual([...named(50)]);
    expect(looks.flat().slice(50)).toEqual([...named(10)]);
  });

  it('asks nothing where nobody is, and of a single channel each time', async () => {
    const { watch, channels, looks, lost } = createBench(new Set());
    expect(await watch.look()).toBe(false);
    expect(looks).toEqual([]);
    channels.add('c');
    expect(await watch.look()).toBe(false);
    lost.add('c');
    expect(await watch.look()).toBe(true);
    expect(looks).toEqual([['c'], ['c']]);
  });

  // The race: the look is sent before a join, or its answer comes after the leave. Invariant: only what Redis was given is
  // missed.
  it('does not miss a lease that Redis does not owe yet, or no more', async () => {
    const { watch, channels, lost, unowed } = createBench(new Set(['joining', 'left']));
    lost.add('joining').add('left');
    unowed.add('joining');
    const looking = watch.look();
    channels.delete('left');
    expect(await looking).toBe(false);
    unowed.delete('joining');
    expect(await watch.look()).toBe(true);
  });
});

import { describe, expect, it } from '@jest/globals';
import { createDirectHeads } from './direct-heads.ts';

const ids = Array.from({ length: 2_500 }, (_, n) => `dm_${String(n).padStart(32, '0')}`);

function createBench(maxHeads?: number) {
  const asked: string[] = [];
  const state = { epochGeneration: 0, isAway: false };
  const store = {
    async directChannels(_agentId: string, limit: number, after = '') {
      asked.push(after);
      if (state.isAway) throw new Error('away');
      const page = ids.filter((id) => id > after).slice(0, limit);
      // Only every seventh channel was active lately. The lower the number of such a channel, the later it was active.
      return page.map((channelId) => {
        const n = Number(channelId.slice(3));
        return { channelId, head: 3, activeAt: n % 7 === 0 ? 10_000 - n : 1 };
      });
    },
  };
  return {
    asked,
    state,
    heads: createDirectHeads({ store, epochGeneration: () => state.epochGeneration }, maxHeads),
  };
}

describe("an agent's list of direct heads", () => {
  it('is read in pages, once for all its sockets', async () => {
    const { asked, heads } = createBench();
    await Promise.all([heads.load('ada'), heads.load('ada')]);
    await heads.load('ada');
    expect(asked).toEqual(['', ids[999], ids[1_999]]);
    expect([heads.size, heads.headOf('ada', ids[2_400]!)]).toEqual([2_500, 3]);
    expect(heads.headOf('ada', 'dm_new')).toBe(0);
  });

  it('is updated by events, and dropped with the last socket', async () => {
    const { heads } = createBench();
    await heads.load('ada');
    heads.raise('ada', ids[0]!, 5);
    heads.raise('ada', ids[0]!, 4);
    expect(heads.headOf('ada', ids[0]!)).toBe(5);
    heads.forget('ada');
    expect([heads.size, heads.headOf('ada', ids[0]!)]).toEqual([0, null]);
  });

  it('holds at most maxHeads heads, and does not know the others', async () => {
    const { asked, heads } = createBench(1_200);
    await heads.load('ada');
    // All pages are read, because each of them may hold the most recently active channel.
    expect([asked.length, heads.size]).toEqual([3, 1_200]);
    expect([heads.headOf('ada', ids[1_199]!), heads.headOf('ada', ids[1_200]!)]).toEqual([3, null]);
  });

  it('is read again when the epoch changed', async () => {
    const { state, heads } = createBench();
    await heads.load('ada');
    state.epochGeneration += 1;
    expect(heads.headOf('ada', ids[0]!)).toBeNull();
    await heads.load('ada');
    expect([heads.size, heads.headOf('ada', ids[0]!)]).toEqual([2_500, 3]);
  });

  it('is read again by the next caller when it could not be read', async () => {
    const { state, heads } = createBench();
    state.isAway = true;
    await expect(heads.load('ada')).rejects.toThrow('away');
    state.isAway = false;
    await heads.load('ada');
    expect(heads.size).toBe(2_500);
  });

  // The fault: each welcome made the store sort all direct channels of the agent. Invariant: a
  // welcome names the most recently active channels, and no statement reads more than a page.
  it('knows the most recently active channels, including later events', async () => {
    const { heads } = createBench();
    const loaded = heads.load('ada');
    heads.raise('ada', ids[1]!, 4);
    // The tail check also reports events that are already known. Such a report must not make a channel recently active.
    // Here `ids[2]` is reported before the page of this channel is read, and `ids[4]` after its page is read.
    heads.raise('ada', ids[2]!, 3);
    await loaded;
    heads.raise('ada', ids[4]!, 3);
    const sevenths = ids.filter((_id, n) => n % 7 === 0);
    expect(heads.latest('ada')).toEqual([ids[1], ...sevenths.slice(0, 199)]);
    heads.raise('ada', sevenths[3]!, 4);
    heads.raise('ada', 'dm_new', 1);
    const [first, second, third] = heads.latest('ada');
    expect([first, second, third]).toEqual(['dm_new', sevenths[3], ids[1]]);
    expect(heads.latest('ada')).toHaveLength(200);
    expect(heads.latest('bob')).toEqual([]);
  });
});

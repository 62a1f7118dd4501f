import { describe, expect, it } from '@jest/globals';
import { createDirectHeads } from './direct-heads.ts';

const ids = Array.from({ length: 2_500 }, (_, n) => `dm_${String(n).padStart(32, '0')}`);

/** An agent with this many direct channels, all at head 3. */
function createBench(maxHeads?: number) {
  const asked: string[] = [];
  const state = { epochGeneration: 0, isAway: false };
  const store = {
    async directChannels(_agentId: string, limit: number, after = '') {
      asked.push(after);
      if (state.isAway) throw new Error('away');
      const page = ids.filter((id) => id > after).slice(0, limit);
      return page.map((channelId) => ({ channelId, head: 3 }));
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
    expect([asked.length, heads.size]).toEqual([2, 1_200]);
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
});

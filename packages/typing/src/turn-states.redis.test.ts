import { describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { randomPrefix } from '@openclaw/test-support';
import { createTurnStates, type TurnStateOptions, type TurnStates } from './index.ts';
import { createRedisBench } from './testing/redis-bench.ts';

const bench = createRedisBench();
const thinking = { state: 'thinking', label: null, queueDepth: null } as const;
const tool = { state: 'tool', label: 'Runs the tests', queueDepth: 2 } as const;
const startMs = 1_900_000_000_000;

function contract(name: string, make: (options: TurnStateOptions) => TurnStates): void {
  describe(`turn states ${name}`, () => {
    it('last for a lease that a repeat renews, in each place by itself', async () => {
      let nowMs = startMs;
      const turns = make({ clock: () => nowMs });
      const first = { untilMs: startMs + 30_000, changed: true, degraded: false };
      expect(await turns.set('c', 'a', null, thinking)).toEqual(first);
      expect(await turns.set('c', 'a', 't', tool)).toEqual(first);
      nowMs += 20_000;
      expect(await turns.set('c', 'a', null, thinking)).toMatchObject({ changed: false });
      expect(await turns.set('c', 'b', null, thinking)).toMatchObject({ changed: true });
      nowMs += 10_000;
      const typers = [
        { channelId: 'c', agentId: 'a' },
        { channelId: 'c', agentId: 'a', threadId: 't' },
        { channelId: 'd', agentId: 'a' },
      ];
      expect(await turns.remainingMs(typers)).toEqual([20_000, 0, 0]);
      const listed = (await turns.list('c')).turns.sort((x, y) => (x.agentId < y.agentId ? -1 : 1));
      const untilMs = startMs + 50_000;
      expect(listed).toEqual([
        { agentId: 'a', threadId: null, ...thinking, untilMs },
        { agentId: 'b', threadId: null, ...thinking, untilMs },
      ]);
      expect(await turns.set('c', 'a', 't', tool)).toMatchObject({ changed: true });
      expect(await turns.set('c', 'a', 't', thinking)).toMatchObject({ changed: true });
      expect(turns.latestOf('a')).toEqual({ ...thinking, sinceMs: nowMs });
      expect(await turns.end('c', 'a', 't')).toMatchObject({ changed: true, untilMs: nowMs });
      expect(await turns.end('c', 'a', 't')).toMatchObject({ changed: false });
      expect(turns.placesOf('a')).toEqual([{ channelId: 'c', threadId: null }]);
      const renewed = { ...thinking, sinceMs: startMs };
      expect([turns.latestOf('a'), turns.latestOf('nobody')]).toEqual([renewed, null]);
      nowMs += 30_000;
      expect(turns.latestOf('a')).toBeNull();
      await turns.close();
      await expect(turns.list('c')).rejects.toMatchObject({ code: 'closed' });
    });

    it('are bounded: beyond the limit, those that end first are forgotten', async () => {
      let nowMs = startMs;
      const turns = make({ clock: () => nowMs, maxTurns: 3 });
      for (const agentId of ['a', 'b', 'c', 'd', 'e']) {
        await turns.set('c', agentId, null, thinking);
        nowMs += 1_000;
      }
      const { turns: listed } = await turns.list('c');
      expect(listed.map(({ agentId }) => agentId)).toEqual(['e', 'd', 'c']);
      // The fault: in Redis, each renewal in a full channel removed the turn of another agent.
      await turns.set('c', 'd', null, thinking);
      const renewed = (await turns.list('c')).turns;
      expect(renewed.map(({ agentId }) => agentId)).toEqual(['d', 'e', 'c']);
      await turns.close();
    });

    it('are known by place, in the order of their ends', async () => {
      let nowMs = startMs;
      const turns = make({ clock: () => (nowMs += 1) });
      for (const channelId of ['c', 'd', 'c']) await turns.set(channelId, 'a', null, thinking);
      expect(turns.placesOf('a').map(({ channelId }) => channelId)).toEqual(['d', 'c']);
      // The fault: the turn that began last counted as the latest, even if another turn had changed since then.
      await turns.set('c', 'a', null, tool);
      await turns.set('d', 'a', null, thinking);
      expect(turns.latestOf('a')).toMatchObject(tool);
      await turns.close();
    });

    it('refuse bad ids', async () => {
      const turns = make({});
      const badId = { name: 'KeySchemaError', code: 'invalid_id' };
      await expect(turns.set('c:d', 'a', null, thinking)).rejects.toMatchObject(badId);
      await expect(turns.end('c', 'a', 't:u')).rejects.toMatchObject(badId);
      await expect(turns.list('c:d')).rejects.toMatchObject(badId);
      await turns.close();
    });
  });
}

contract('in memory', (options) => createTurnStates({}, options));
for (const hashTags of [false, true])
  contract(`in Redis${hashTags ? ' with hash tags' : ''}`, (options) =>
    createTurnStates(
      { redis: bench.redis, keys: createKeySchema({ prefix: randomPrefix(), hashTags }) },
      options,
    ),
  );

describe('turn states in Redis', () => {
  it('are the same for all processes, and both keys end with the last lease', async () => {
    const { redis, keys } = bench;
    const [one, other] = [createTurnStates({ redis, keys }), createTurnStates({ redis, keys })];
    await one.set('c', 'a', null, tool);
    expect((await other.list('c')).turns).toMatchObject([{ agentId: 'a', ...tool }]);
    for (const key of [keys.turns('c'), keys.turnStates('c')]) {
      const leftMs = Number(await redis.send(['pttl', key]));
      expect(leftMs).toBeGreaterThan(29_000);
      expect(leftMs).toBeLessThanOrEqual(30_000);
    }
    // An eviction can remove one of the two keys. A turn in only one of them is not shown.
    await redis.send(['hdel', keys.turnStates('c'), 'a']);
    expect((await other.list('c')).turns).toEqual([]);
    expect(await other.end('c', 'a', null)).toMatchObject({ changed: true });
    for (const key of [keys.turns('c'), keys.turnStates('c')])
      expect(await redis.send(['exists', key])).toBe(0);
  });

  it('go on with the turns of this process while Redis refuses', async () => {
    const { redis, keys } = bench;
    const turns = createTurnStates({ redis, keys });
    await turns.set('c', 'a', null, thinking);
    await redis.send(['set', keys.turns('c'), 'no zset']);
    expect(await turns.list('c')).toMatchObject({ degraded: true, turns: [{ agentId: 'a' }] });
    expect(await turns.set('c', 'a', null, tool)).toMatchObject({ changed: true, degraded: true });
    expect(await turns.remainingMs([{ channelId: 'c', agentId: 'a' }])).not.toEqual([0]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { randomPrefix, waitFor } from '@openclaw/test-support';
import { createRedisTyping } from './index.ts';
import { createRedisBench } from './testing/redis-bench.ts';
import { typingContract } from './typing.contract.ts';

const bench = createRedisBench();

for (const hashTags of [false, true]) {
  typingContract(hashTags ? 'on Redis with hash tags' : 'on Redis', (options) =>
    createRedisTyping(
      { redis: bench.redis, keys: createKeySchema({ prefix: randomPrefix(), hashTags }) },
      options,
    ),
  );
}

describe('typing in Redis', () => {
  const ttlMs = async () => Number(await bench.redis.send(['pttl', bench.keys.typing('c')]));
  const commands = async () => String(await bench.redis.send(['info', 'commandstats']));

  it('TTL expiry (typing): the key lives ten seconds after every start, and is deleted by the last stop', async () => {
    const { redis, keys } = bench;
    const typing = createRedisTyping({ redis, keys });
    for (const agentId of ['a', 'b', 'a']) {
      await redis.send(['persist', keys.typing('c')]);
      await typing.start('c', agentId);
      expect(await ttlMs()).toBeGreaterThan(9000);
      expect(await ttlMs()).toBeLessThanOrEqual(10_000);
    }
    await typing.stop('c', 'a');
    expect(await ttlMs()).toBeGreaterThan(9000);
    await typing.stop('c', 'b');
    expect(await redis.send(['exists', keys.typing('c')])).toBe(0);
  });

  it('stores agentIds with the time of the server', async () => {
    const { redis, keys } = bench;
    const before = Date.now();
    await createRedisTyping({ redis, keys }).start('c', 'a');
    const held = (await redis.send(['zrange', keys.typing('c'), 0, -1, 'WITHSCORES'])) as string[];
    expect(held[0]).toBe('a');
    expect(Number(held[1])).toBeGreaterThanOrEqual(before);
    expect(Number(held[1])).toBeLessThanOrEqual(Date.now());
  });

  it('drops agents that stopped without a stop event when another agent starts', async () => {
    const { redis, keys } = bench;
    let nowMs = 1_900_000_000_000;
    const typing = createRedisTyping({ redis, keys }, { clock: () => nowMs });
    for (let n = 0; n < 50; n += 1) {
      await typing.start('c', `a${n}`);
      nowMs += 1000;
    }
    expect(await redis.send(['zcard', keys.typing('c')])).toBe(10);
  });

  it('TTL expiry (typing): expires within ±1 s in real time', async () => {
    const { redis, keys } = bench;
    const typing = createRedisTyping({ redis, keys }, { ttlMs: 1500 });
    const startMs = Date.now();
    await typing.start('c', 'a');
    await waitFor(async () => (await typing.list('c')).length === 0);
    expect(Date.now() - startMs).toBeGreaterThanOrEqual(1495);
    expect(Date.now() - startMs).toBeLessThan(2500);
    await waitFor(async () => (await redis.send(['exists', keys.typing('c')])) === 0);
    expect(Date.now() - startMs).toBeLessThan(2500);
  });

  it('never calls KEYS or SCAN, and reads write nothing', async () => {
    const { redis, keys } = bench;
    const typing = createRedisTyping({ redis, keys });
    await typing.start('c', 'a');
    const writes = (stats: string) =>
      [...stats.matchAll(/^cmdstat_(zadd|zrem|zremrangebyscore|pexpire):calls=\d+/gm)].map(String);
    const before = writes(await commands());
    await typing.list('c');
    await typing.remainingMs([{ channelId: 'c', agentId: 'a' }]);
    await typing.lastStartMs('c', 'a');
    expect(writes(await commands())).toEqual(before);
    expect(before.length).toBeGreaterThan(2);
    expect(await commands()).not.toMatch(/^cmdstat_(keys|scan|zscan):/m);
  });

  it('fails with `unavailable` and the cause when Redis refuses a call', async () => {
    const { redis, keys } = bench;
    await redis.send(['set', keys.typing('c'), 'no zset']);
    const typing = createRedisTyping({ redis, keys });
    const unavailable = {
      name: 'TypingError',
      code: 'unavailable',
      cause: expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') }),
    };
    await expect(typing.start('c', 'a')).rejects.toMatchObject(unavailable);
    await expect(typing.list('c')).rejects.toMatchObject(unavailable);
    await expect(typing.remainingMs([{ channelId: 'c', agentId: 'a' }])).rejects.toMatchObject(
      unavailable,
    );
  });
});

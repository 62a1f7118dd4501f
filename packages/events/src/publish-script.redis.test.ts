import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisKey } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { publishScript } from './redis-transport.ts';
import { createRedisSystem, type RedisSystem } from './testing/redis-bench.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('publish.lua', () => {
  let system: RedisSystem;
  let redis: RedisClient;
  let messages: string[];
  beforeEach(async () => {
    system = createRedisSystem(server.url);
    ({ redis } = await system.start());
    messages = [];
    await redis.subscriber.subscribe(topic(), (message) => messages.push(message));
  });
  afterEach(() => system.close());

  const topic = () => system.keys.channelTopic('general');
  const seqKey = () => system.keys.sequence('general');
  const run = (
    verb: string,
    envelope: string,
    seq: number | '',
    outdated: RedisKey[] = [],
    outdatedByGap: RedisKey[] = [],
  ) =>
    redis.run({
      script: publishScript,
      keys: [topic(), seqKey(), ...outdated, ...outdatedByGap],
      args: [verb, envelope, seq, outdated.length],
    });
  const get = (key: RedisKey) => redis.send(['get', key]);
  const ttl = (key: RedisKey) => redis.send(['pttl', key]);

  it('publishes, raises the seq without a TTL, deletes exactly the outdated keys, and does so twice alike', async () => {
    const outdated = [system.keys.recentMessages('general'), system.keys.channel('general')];
    const kept = system.keys.channelMembers('general');
    for (let turn = 1; turn <= 2; turn += 1) {
      for (const key of [...outdated, kept]) await redis.send(['set', key, 'cached', 'px', 60_000]);
      expect(await run('publish', 'envelope', 7, outdated)).toBe(1);
      expect(await get(seqKey())).toBe('7');
      expect(await ttl(seqKey())).toBe(-1);
      expect(await Promise.all(outdated.map(get))).toEqual([null, null]);
      expect(await get(kept)).toBe('cached');
      expect(Math.abs(Number(await ttl(kept)) - 60_000)).toBeLessThan(1_000);
      await waitFor(() => messages.length === turn);
    }
    expect(messages).toEqual(['envelope', 'envelope']);
    // Only these three keys stand under the prefix: nothing is written beside them.
    expect(await redis.send(['dbsize'])).toBe(2);
  });

  // The race: event 6's publish is lost (its hub died, or Redis was away), then 7 is published and raises the seq past
  // it. What 6 outdated, and 7 alone does not, would look current from then on. Invariant: no stale read.
  it('deletes everything an event may outdate when the seq skips one', async () => {
    const recent = system.keys.recentMessages('general');
    const channel = system.keys.channel('general');
    const fill = async () => {
      for (const key of [recent, channel]) await redis.send(['set', key, 'cached']);
    };
    await run('publish', 'envelope', 5);
    await fill();
    await run('publish', 'envelope', 6, [recent], [recent, channel]);
    expect([await get(recent), await get(channel)]).toEqual([null, 'cached']);
    await fill();
    await run('publish', 'envelope', 8, [recent], [recent, channel]);
    expect([await get(recent), await get(channel)]).toEqual([null, null]);
    // Late, and out of order: what it outdates itself goes, and nothing else.
    await fill();
    await run('publish', 'envelope', 7, [recent], [recent, channel]);
    expect([await get(recent), await get(channel)]).toEqual([null, 'cached']);
  });

  it('never lowers seq:messages, and compares numbers, not texts', async () => {
    for (const [seq, highest] of [
      [9, '9'],
      [10, '10'],
      [9, '10'],
      [100, '100'],
      [99, '100'],
      [Number.MAX_SAFE_INTEGER, '9007199254740991'],
      [1, '9007199254740991'],
    ] as const) {
      await run('publish', 'envelope', seq);
      expect(await get(seqKey())).toBe(highest);
    }
  });

  it('takes over a seq that INCR made, and leaves one that INCR can go on from', async () => {
    await redis.send(['incr', seqKey()]);
    await run('publish', 'envelope', 41);
    expect(await redis.send(['incr', seqKey()])).toBe(42);
  });

  it('overwrites a seq that is no number', async () => {
    await redis.send(['set', seqKey(), 'garbage']);
    await run('publish', 'envelope', 3);
    expect(await get(seqKey())).toBe('3');
  });

  it('leaves the seq alone for an event without one', async () => {
    expect(await run('publish', 'envelope', '')).toBe(1);
    expect(await redis.send(['exists', seqKey()])).toBe(0);
  });

  it('raises and deletes without publishing when no verb is given', async () => {
    const outdated = system.keys.recentMessages('general');
    await redis.send(['set', outdated, 'cached']);
    expect(await run('', '', 5, [outdated])).toBe(0);
    expect(await get(seqKey())).toBe('5');
    expect(await get(outdated)).toBeNull();
    await run('publish', 'the end', '');
    await waitFor(() => messages.includes('the end'));
    expect(messages).toEqual(['the end']);
  });

  it('tells nobody of an event whose seq could not be raised', async () => {
    await redis.send(['lpush', seqKey(), 'of another type']);
    await expect(run('publish', 'envelope', 1)).rejects.toMatchObject({ code: 'rejected' });
    await redis.send(['publish', topic(), 'the end']);
    await waitFor(() => messages.includes('the end'));
    expect(messages).toEqual(['the end']);
  });

  it('publishes to the subscribers of a shard', async () => {
    let received = '';
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.write(`SSUBSCRIBE ${topic()}\r\n`);
    await waitFor(() => received.includes('ssubscribe'));
    expect(await run('spublish', 'envelope', 1)).toBe(1);
    await waitFor(() => received.includes('envelope'));
    socket.destroy();
    expect(messages).toEqual([]);
  });
});

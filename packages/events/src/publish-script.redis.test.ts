import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RedisKey } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { publishScript } from './publish-queue.ts';
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
  const eventOf = (
    envelope: string,
    seq: number | '',
    invalidates: RedisKey[] = [],
    invalidatesOnGap: RedisKey[] = [],
    seqOf: RedisKey = seqKey(),
  ) => {
    const topics = envelope === '' ? [] : [topic()];
    return {
      keys: [seqOf, ...invalidates, ...invalidatesOnGap, ...topics],
      args: [envelope, seq, invalidates.length, invalidatesOnGap.length, topics.length],
    };
  };
  const runAll = (verb: string, ...events: readonly ReturnType<typeof eventOf>[]) =>
    redis.run({
      script: publishScript,
      keys: events.flatMap(({ keys }) => keys),
      args: [verb, ...events.flatMap(({ args }) => args)],
    });
  const run = (verb: string, ...event: Parameters<typeof eventOf>) =>
    runAll(verb, eventOf(...event));
  const get = (key: RedisKey) => redis.send(['get', key]);
  const ttl = (key: RedisKey) => redis.send(['pttl', key]);

  it('publishes, raises the seq without a TTL, deletes exactly the invalidated keys, and does the same when called twice', async () => {
    const invalidates = [system.keys.recentMessages('general'), system.keys.channel('general')];
    const kept = system.keys.channelMembers('general');
    for (let turn = 1; turn <= 2; turn += 1) {
      for (const key of [...invalidates, kept])
        await redis.send(['set', key, 'cached', 'px', 60_000]);
      expect(await run('publish', 'envelope', 7, invalidates)).toBe(1);
      expect(await get(seqKey())).toBe('7');
      expect(await ttl(seqKey())).toBe(-1);
      expect(await Promise.all(invalidates.map(get))).toEqual([null, null]);
      expect(await get(kept)).toBe('cached');
      expect(Math.abs(Number(await ttl(kept)) - 60_000)).toBeLessThan(1_000);
      await waitFor(() => messages.length === turn);
    }
    expect(messages).toEqual(['envelope', 'envelope']);
    // Two keys remain: the seq and the kept one.
    expect(await redis.send(['dbsize'])).toBe(2);
  });

  // The race: the publish of event 7 is lost, then event 8 raises the seq. The keys that only event 7 invalidates would
  // then seem current.
  it('deletes all keys that an event may invalidate when the seq skips one', async () => {
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
    // A late event deletes only its own keys.
    await fill();
    await run('publish', 'envelope', 7, [recent], [recent, channel]);
    expect([await get(recent), await get(channel)]).toEqual([null, 'cached']);
  });

  it('never lowers seq:messages, and compares numbers instead of strings', async () => {
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

  it('continues from a seq that INCR set, and INCR continues from its seq', async () => {
    await redis.send(['incr', seqKey()]);
    await run('publish', 'envelope', 41);
    expect(await redis.send(['incr', seqKey()])).toBe(42);
  });

  it('overwrites a non-numeric seq', async () => {
    await redis.send(['set', seqKey(), 'garbage']);
    await run('publish', 'envelope', 3);
    expect(await get(seqKey())).toBe('3');
  });

  it('does not change the seq for an event without one', async () => {
    expect(await run('publish', 'envelope', '')).toBe(1);
    expect(await redis.send(['exists', seqKey()])).toBe(0);
  });

  it('raises and deletes without publishing when there is no topic', async () => {
    const invalidates = system.keys.recentMessages('general');
    await redis.send(['set', invalidates, 'cached']);
    expect(await run('publish', '', 5, [invalidates])).toBe(0);
    expect(await get(seqKey())).toBe('5');
    expect(await get(invalidates)).toBeNull();
    await run('publish', 'the end', '');
    await waitFor(() => messages.includes('the end'));
    expect(messages).toEqual(['the end']);
  });

  it('does not publish an event whose seq could not be raised', async () => {
    await redis.send(['lpush', seqKey(), 'of another type']);
    await expect(run('publish', 'envelope', 1)).rejects.toMatchObject({ code: 'rejected' });
    await redis.send(['publish', topic(), 'the end']);
    await waitFor(() => messages.includes('the end'));
    expect(messages).toEqual(['the end']);
  });

  it('publishes several events in their order, each with its own keys', async () => {
    const [recent, channel] = [
      system.keys.recentMessages('general'),
      system.keys.channel('general'),
    ];
    const other = system.keys.sequence('other');
    for (const key of [recent, channel]) await redis.send(['set', key, 'cached']);
    const receivers = await runAll(
      'publish',
      eventOf('first', 1, [], [recent]),
      eventOf('', 9, [], [], other),
      eventOf('second', 2, [channel], [recent]),
      eventOf('third', ''),
    );
    expect(receivers).toBe(3);
    await waitFor(() => messages.length === 3);
    expect(messages).toEqual(['first', 'second', 'third']);
    expect([await get(seqKey()), await get(other)]).toEqual(['2', '9']);
    expect([await get(recent), await get(channel)]).toEqual(['cached', null]);
  });

  it('publishes no event after one whose seq could not be raised', async () => {
    const other = system.keys.sequence('other');
    await redis.send(['lpush', other, 'of another type']);
    const publishing = runAll(
      'publish',
      eventOf('before', 1),
      eventOf('', 1, [], [], other),
      eventOf('after', 2),
    );
    await expect(publishing).rejects.toMatchObject({ code: 'rejected' });
    await redis.send(['publish', topic(), 'the end']);
    await waitFor(() => messages.includes('the end'));
    expect(messages).toEqual(['before', 'the end']);
    expect(await get(seqKey())).toBe('1');
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

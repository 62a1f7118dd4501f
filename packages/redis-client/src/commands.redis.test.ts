import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import { randomPrefix, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import {
  createRedisClient,
  defineScript,
  RedisClientError,
  type RoundTrip,
  type ScriptCall,
} from './index.ts';
import { clientsOfTest } from './testing/clients.ts';

let server: RedisServer;
let keys: KeySchema;
const clients = clientsOfTest();
const increment = defineScript('increment', "return redis.call('INCRBY', KEYS[1], ARGV[1])");
const by = (amount: number): ScriptCall => ({
  script: increment,
  keys: [keys.sequence('room')],
  args: [amount],
});

beforeAll(async () => {
  server = await startRedis({ args: ['--databases', '4'] });
});
beforeEach(() => {
  keys = createKeySchema({ prefix: randomPrefix() });
});
afterAll(() => server.stop());

describe('Redis connection/disconnection', () => {
  it('answers once connected, calls its listeners, and reports its health', async () => {
    const redis = clients.open({ url: server.url });
    const changes: boolean[] = [];
    const remove = redis.onAvailability((available) => changes.push(available));
    expect(redis.available).toBe(false);
    await waitFor(() => redis.available);
    expect(await redis.send(['PING'])).toBe('PONG');
    expect(changes).toEqual([true]);
    const health = await redis.health();
    expect(health).toMatchObject({
      status: 'ok',
      mode: 'standalone',
      breaker: 'closed',
      role: 'master',
      runId: expect.stringMatching(/^[0-9a-f]{40}$/),
      version: expect.stringMatching(/^\d+\.\d+/),
      maxMemoryBytes: 0,
      reconnects: 0,
    });
    expect(health.latencyMs).toBeGreaterThan(0);
    expect(health.usedMemoryBytes).toBeGreaterThan(100_000);
    remove();
    await redis.close();
    expect(changes).toEqual([true]);
  });

  it('reports each round trip with its duration, and its failure', async () => {
    const trips: RoundTrip[] = [];
    const redis = createRedisClient(
      { url: server.url },
      { onRoundTrip: (trip) => trips.push(trip) },
    );
    await waitFor(() => redis.available);
    trips.length = 0;
    await redis.send(['SET', keys.sequence('room'), 'text']);
    await redis.pipeline([['PING'], by(1), by(1)]);
    await redis.send(['INCR', keys.sequence('room')]).catch(() => undefined);
    expect(trips.map(({ failure }) => failure)).toEqual([null, null, 'rejected']);
    for (const { durationMs } of trips) expect(durationMs).toBeGreaterThan(0);
    expect(redis.state).toEqual({
      breaker: 'closed',
      refusal: null,
      reconnects: { commands: 0, subscriber: 0 },
    });
    await redis.close();
    await redis.send(['PING']).catch(() => undefined);
    expect(trips).toHaveLength(3);
  });

  it('connects by URL with a database number, and by host and port', async () => {
    const byUrl = await clients.connect({ url: `${server.url}/3` });
    const byHost = await clients.connect({ host: '127.0.0.1', port: server.port, db: 3 });
    await byUrl.send(['SET', keys.sequence('room'), 7]);
    expect(await byHost.send(['GET', keys.sequence('room')])).toBe('7');
    const elsewhere = await clients.connect({ url: server.url });
    expect(await elsewhere.send(['GET', keys.sequence('room')])).toBe(null);
  });

  it('leaves nothing behind when closed, and refuses every later call with `closed`', async () => {
    const redis = createRedisClient({ url: server.url, connectionName: 'leaver' });
    await waitFor(() => redis.available && redis.subscriber.connected);
    expect(await server.command('CLIENT LIST')).toContain('name=leaver:sub');
    await redis.close();
    await redis.close();
    await waitFor(async () => !(await server.command('CLIENT LIST')).includes('leaver'));
    const closed = expect.objectContaining({ name: 'RedisClientError', code: 'closed' });
    await expect(redis.send(['PING'])).rejects.toEqual(closed);
    await expect(redis.run(by(1))).rejects.toEqual(closed);
    await expect(redis.pipeline([])).rejects.toEqual(closed);
    await expect(redis.subscriber.subscribe(keys.globalTopic, () => undefined)).rejects.toEqual(
      closed,
    );
    expect(redis.available).toBe(false);
    expect((await redis.health()).status).toBe('down');
  });

  it('can be closed before its first connection', async () => {
    await createRedisClient({ url: server.url }).close();
    await createRedisClient({ host: '127.0.0.1', port: 1 }).close();
  });
});

describe('Key namespace isolation ("openclaw:" prefix)', () => {
  // ioredis applies its keyPrefix neither to published topics nor to SCAN, so our prefix is part of the name.
  it('sends names unchanged, so that two systems on one Redis stay separate', async () => {
    const redis = await clients.connect({ url: server.url });
    const ours = createKeySchema();
    const theirs = createKeySchema({ prefix: 'staging:' });
    await redis.send(['SET', ours.sequence('room'), 1]);
    await redis.send(['SET', theirs.sequence('room'), 2]);
    expect(await server.command('GET openclaw:seq:messages:room')).toContain('1');
    expect(await redis.send(['GET', ours.sequence('room')])).toBe('1');
    const heard: string[] = [];
    await redis.subscriber.subscribe(ours.globalTopic, (message, topic) =>
      heard.push(topic, message),
    );
    await redis.send(['PUBLISH', theirs.globalTopic, 'theirs']);
    await redis.send(['PUBLISH', ours.globalTopic, 'ours']);
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(['openclaw:pubsub:global', 'ours']);
  });
});

describe('a command that Redis rejects', () => {
  it('is `rejected`, and does not open the breaker however often', async () => {
    const redis = await clients.connect({ url: server.url });
    await redis.send(['SET', keys.sequence('room'), 'text']);
    for (let time = 0; time < 10; time += 1) {
      const error = await redis.send(['SADD', keys.sequence('room'), 'x']).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(RedisClientError);
      expect(error).toMatchObject({
        code: 'rejected',
        message: expect.stringMatching(/^WRONGTYPE/),
      });
    }
    expect(redis.available).toBe(true);
    expect((await redis.health()).breaker).toBe('closed');
  });

  it('keeps its arguments out of the error, which may be logged', async () => {
    const redis = await clients.connect({ url: server.url });
    await redis.send(['SET', keys.sequence('room'), 'text']);
    const error = await redis
      .send(['SADD', keys.sequence('room'), 'a private text'])
      .catch((e: unknown) => e as Error);
    const { cause } = error as Error;
    expect(JSON.stringify([error, cause, Object.entries(cause as object)])).not.toContain(
      'private',
    );
  });
});

describe('a reply', () => {
  it('has the shape that Redis gave it, however the command is written', async () => {
    const redis = await clients.connect({ url: server.url });
    const hash = keys.presence('room', 'agent');
    await redis.send(['hset', hash, 'a', 1, 'b', 2]);
    expect(await redis.send(['hgetall', hash])).toEqual(['a', '1', 'b', '2']);
    expect(
      await redis.pipeline([
        ['HGETALL', hash],
        ['hgetall', hash],
        ['get', 'nothing:here'],
        ['dbsize'],
      ]),
    ).toEqual([['a', '1', 'b', '2'], ['a', '1', 'b', '2'], null, expect.any(Number)]);
  });
});

describe('scripts', () => {
  it('run by SHA, and by source when the server does not know them', async () => {
    const redis = await clients.connect({ url: server.url });
    await server.command('SCRIPT FLUSH');
    expect(await redis.run(by(2))).toBe(2);
    expect(await redis.run(by(2))).toBe(4);
    expect(await server.command('INFO commandstats')).toContain('cmdstat_eval:calls=1');
  });

  it('report the error of the script as `rejected`', async () => {
    const redis = await clients.connect({ url: server.url });
    const bad = defineScript('bad', "return redis.call('INCR', KEYS[1])");
    await redis.send(['SET', keys.sequence('room'), 'text']);
    await expect(
      redis.run({ script: bad, keys: [keys.sequence('room')], args: [] }),
    ).rejects.toMatchObject({ code: 'rejected' });
  });
});

describe('calls of one turn of the event loop', () => {
  it('reach Redis in a few writes', async () => {
    const redis = await clients.connect({ url: server.url });
    const reads = async () =>
      Number(/total_reads_processed:(\d+)/.exec(await server.command('INFO stats'))?.[1]);
    const before = await reads();
    await Promise.all(Array.from({ length: 1_000 }, () => redis.send(['PING'])));
    // The client sends the commands in 125 writes of eight. Heartbeats and the connections of `reads` add a few.
    expect((await reads()) - before).toBeLessThan(200);
  });
});

describe('a pipeline', () => {
  it('runs commands and scripts in order, in one round trip', async () => {
    const redis = await clients.connect({ url: server.url });
    await redis.run(by(0));
    const before = await server.command('INFO commandstats');
    const replies = await redis.pipeline([
      ['SET', keys.sequence('room'), 5],
      by(1),
      ['GET', keys.sequence('room')],
      by(1),
    ]);
    expect(replies).toEqual(['OK', 6, '6', 7]);
    const count = (stats: string) => /cmdstat_eval:calls=(\d+)/.exec(stats)?.[1];
    expect(count(await server.command('INFO commandstats'))).toBe(count(before));
    expect(await redis.pipeline([])).toEqual([]);
  });

  it('puts the error of one call in its place, and the others are not affected', async () => {
    const redis = await clients.connect({ url: server.url });
    const replies = await redis.pipeline([
      ['SET', keys.sequence('room'), 'text'],
      by(1),
      ['NOSUCHCOMMAND', 'x'],
      ['GET', keys.sequence('room')],
    ]);
    expect(replies).toEqual([
      'OK',
      expect.objectContaining({ code: 'rejected' }),
      expect.objectContaining({ code: 'rejected' }),
      'text',
    ]);
    expect(redis.available).toBe(true);
  });

  it('sends only the unknown scripts again after SCRIPT FLUSH, and each runs once', async () => {
    const redis = await clients.connect({ url: server.url });
    const append = defineScript('append', "return redis.call('APPEND', KEYS[1], ARGV[1])");
    const appended = (text: string): ScriptCall => ({
      script: append,
      keys: [keys.sequence('log')],
      args: [text],
    });
    await redis.run(by(0));
    await redis.run(appended(''));
    await server.command('SCRIPT FLUSH');
    const replies = await redis.pipeline([
      by(1),
      ['INCR', keys.sequence('room')],
      appended('a'),
      by(1),
      appended('b'),
    ]);
    expect(replies).toEqual([2, 1, 1, 3, 2]);
    expect(await redis.send(['GET', keys.sequence('log')])).toBe('ab');
    expect(await redis.send(['GET', keys.sequence('room')])).toBe('3');
  });
});

describe('a large reply', () => {
  it('arrives complete: 40 MB on the command connection, while the subscriber keeps receiving', async () => {
    // On a busy machine, 40 MB may take longer than the default timeout of one second.
    const redis = await clients.connect({ url: server.url, commandTimeoutMs: 10_000 });
    const heard: string[] = [];
    await redis.subscriber.subscribe(keys.globalTopic, (message) => heard.push(message));
    await redis.send(['SETRANGE', keys.sequence('room'), 40_000_000 - 1, 'x']);
    const [reply] = await Promise.all([
      redis.send(['GET', keys.sequence('room')]),
      redis.send(['PUBLISH', keys.globalTopic, 'meanwhile']),
    ]);
    expect(String(reply)).toHaveLength(40_000_000);
    await waitFor(() => heard.length === 1);
  });
});

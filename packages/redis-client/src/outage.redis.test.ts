import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  freePort,
  randomPrefix,
  startRedis,
  startTcpProxy,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import { createRedisClient, RedisClientError } from './index.ts';
import { clientsOfTest, recordingLogger, timed, untilUp } from './testing/clients.ts';

let server: RedisServer;
let key: string;
const clients = clientsOfTest();

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  key = `${randomPrefix()}counter`;
});
afterAll(() => server.stop());

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const unavailable = expect.objectContaining({ name: 'RedisClientError', code: 'unavailable' });

describe('Redis frozen', () => {
  it('ends each command within its timeout and opens the breaker within 1.5 s, then closes it by itself', async () => {
    const logger = recordingLogger();
    const redis = await clients.connect({ url: server.url }, logger);
    const changes: boolean[] = [];
    redis.onAvailability((available) => changes.push(available));
    server.freeze();
    try {
      const frozenAtMs = performance.now();
      const [one, many, script] = await Promise.all([
        timed(redis.send(['GET', key])),
        timed(
          redis.pipeline([
            ['GET', key],
            ['GET', key],
          ]),
        ),
        timed(redis.subscriber.subscribe(key as never, () => undefined)),
      ]);
      for (const { ms } of [one, many, script]) expect(ms).toBeLessThan(1200);
      expect(one.outcome).toMatchObject({
        name: 'RedisClientError',
        code: expect.stringMatching(/timeout|unavailable/),
      });
      await waitFor(() => !redis.available, { timeoutMs: 1500 });
      expect(performance.now() - frozenAtMs).toBeLessThan(1500);
      expect((await redis.health()).status).toBe('down');
      const refused = await timed(redis.send(['GET', key]));
      expect(refused.outcome).toEqual(unavailable);
      expect(refused.ms).toBeLessThan(50);
    } finally {
      server.thaw();
    }
    const thawedAtMs = performance.now();
    await waitFor(() => redis.available, { timeoutMs: 3000 });
    expect(performance.now() - thawedAtMs).toBeLessThan(2000);
    expect(await redis.send(['PING'])).toBe('PONG');
    expect(changes).toEqual([false, true]);
    expect(logger.lines.map(({ message }) => message).filter((m) => /available/.test(m))).toEqual([
      'Redis is available',
      'Redis is unavailable',
      'Redis is available',
    ]);
  });

  it('opens the breaker of a client that sends nothing, and logs why', async () => {
    const logger = recordingLogger();
    const redis = await clients.connect({ url: server.url }, logger);
    server.freeze();
    try {
      const { ms } = await timed(waitFor(() => !redis.available, { timeoutMs: 3000 }));
      expect(ms).toBeLessThan(1500);
      expect(logger.lines).toContainEqual({
        level: 'warn',
        message: 'Redis is unavailable',
        details: { reason: 'Redis did not answer a ping within 500 ms' },
      });
    } finally {
      server.thaw();
    }
    await untilUp(redis);
  });
});

describe('Redis gone', () => {
  it('fails after the connect timeout, later calls at once, and connects when a server listens', async () => {
    const port = await freePort();
    const logger = recordingLogger();
    const redis = clients.open({ host: '127.0.0.1', port }, logger);
    const first = await timed(redis.send(['PING']));
    expect(first.outcome).toEqual(unavailable);
    expect(first.ms).toBeLessThan(1200);
    const { ms, outcome } = await timed(redis.send(['PING']));
    expect(outcome).toEqual(unavailable);
    expect(ms).toBeLessThan(50);
    await waitFor(async () => (await redis.health()).breaker !== 'closed', { timeoutMs: 1500 });
    const late = await startRedis({ port });
    try {
      await waitFor(() => redis.available, { timeoutMs: 2000 });
      expect(await redis.send(['PING'])).toBe('PONG');
      expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
        ['warn', 'Redis is unavailable'],
        ['warn', 'Redis is available'],
      ]);
    } finally {
      await late.stop();
    }
  });

  it('survives a kill and a restart, twice, with its subscriptions (a flap)', async () => {
    const redis = await clients.connect({ url: server.url });
    const heard: string[] = [];
    let resubscribed = 0;
    redis.subscriber.onResubscribed(() => (resubscribed += 1));
    await redis.subscriber.subscribe(key as never, (message) => heard.push(message));
    await redis.subscriber.subscribePattern(`${key}*` as never, (message) =>
      heard.push(`p:${message}`),
    );
    for (const round of [1, 2]) {
      await server.kill();
      const { ms } = await timed(waitFor(() => !redis.available));
      expect(ms).toBeLessThan(1500);
      await waitFor(() => !redis.subscriber.connected);
      await server.restart();
      const back = await timed(untilUp(redis));
      expect(back.ms).toBeLessThan(2000);
      expect(resubscribed).toBe(round);
      await redis.send(['PUBLISH', key, `after ${round}`]);
      await waitFor(() => heard.length === 2 * round);
    }
    expect(heard).toEqual(['after 1', 'p:after 1', 'after 2', 'p:after 2']);
    const health = await redis.health();
    expect(health.reconnects).toBe(2);
    expect(health.subscriber).toEqual({
      connected: true,
      topics: 2,
      unconfirmed: 0,
      reconnects: 2,
    });
  });
});

describe('a call that failed', () => {
  // The race: by default, ioredis queues a command while Redis is away, and sends it on the next connection.
  it('never runs later: rejected while Redis was gone, it is not stored after the reconnect', async () => {
    const redis = await clients.connect({ url: server.url });
    await server.kill();
    await waitFor(() => !redis.available);
    const failures = await Promise.all(
      Array.from({ length: 10_000 }, () =>
        redis.send(['INCR', key]).catch(({ code }: RedisClientError) => code),
      ),
    );
    expect(new Set(failures)).toEqual(new Set(['unavailable']));
    await server.restart();
    await untilUp(redis);
    expect(await redis.send(['INCR', key])).toBe(1);
  });

  // With a queue, 60 MB would stay in memory.
  it.each(['gone', 'frozen'])(
    'leaves nothing in memory: 20,000 writes with Redis %s',
    async (how) => {
      const redis = await clients.connect({ url: server.url });
      if (how === 'gone') await server.kill();
      else server.freeze();
      await waitFor(() => !redis.available);
      try {
        const before = heldBytes();
        for (let batch = 0; batch < 20; batch += 1) {
          const writes = Array.from({ length: 1_000 }, () =>
            redis.send(['SET', key, randomBytes(1_500).toString('hex')]).catch(() => 'refused'),
          );
          expect(new Set(await Promise.all(writes))).toEqual(new Set(['refused']));
        }
        // The garbage collector frees the memory only after a while.
        await waitFor(() => heldBytes() - before < 5e6, { what: 'no more than 5 MB held' });
      } finally {
        if (how === 'gone') await server.restart();
        else server.thaw();
      }
      await untilUp(redis);
    },
  );

  it('never runs later: timed out on a stalled connection, it is not sent again after the reconnect', async () => {
    const proxy = await startTcpProxy(server.port);
    const redis = await clients.connect({ host: '127.0.0.1', port: proxy.port });
    proxy.stall();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => redis.send(['INCR', key]).catch((error: unknown) => error)),
    );
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(RedisClientError);
    await waitFor(() => !redis.available);
    proxy.cut();
    proxy.resume();
    await untilUp(redis);
    expect(await redis.send(['INCR', key])).toBe(1);
    await redis.close();
    await proxy.stop();
  });

  // With autoResendUnfulfilledCommands, the write would be stored twice.
  it('is not stored twice when only its answer was lost', async () => {
    const proxy = await startTcpProxy(server.port);
    const redis = await clients.connect({ host: '127.0.0.1', port: proxy.port });
    proxy.stallReplies();
    const write = redis.send(['INCR', key]).catch((error: unknown) => error);
    await waitFor(async () => (await server.command(`GET ${key}`)).includes('1'));
    proxy.cut();
    expect(await write).toEqual(unavailable);
    proxy.resume();
    await untilUp(redis);
    expect(await redis.send(['INCR', key])).toBe(2);
    await redis.close();
    await proxy.stop();
  });

  it('is rejected with `closed` when the client was closed', async () => {
    const redis = createRedisClient({ url: server.url });
    await untilUp(redis);
    server.freeze();
    try {
      const pending = redis.send(['GET', key]).catch((error: unknown) => error);
      const piped = redis.pipeline([['GET', key]]);
      const { ms } = await timed(redis.close());
      expect(ms).toBeLessThan(200);
      expect(await pending).toMatchObject({ code: 'closed' });
      expect(await piped).toEqual([expect.objectContaining({ code: 'closed' })]);
    } finally {
      server.thaw();
    }
  });
});

describe('the connection to Redis cut silently', () => {
  it('reconnects the subscriber, which only listens (ping watchdog)', async () => {
    const proxy = await startTcpProxy(server.port);
    const redis = await clients.connect({ host: '127.0.0.1', port: proxy.port });
    const heard: string[] = [];
    await redis.subscriber.subscribe(key as never, (message) => heard.push(message));
    proxy.stall();
    await waitFor(() => !redis.subscriber.connected, { timeoutMs: 1500, what: 'the watchdog' });
    proxy.cut();
    proxy.resume();
    await untilUp(redis);
    await redis.send(['PUBLISH', key, 'heard again']);
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(['heard again']);
    await redis.close();
    await proxy.stop();
  });
});

describe('a master demoted under its clients (READONLY)', () => {
  it('is unavailable without flapping, and available again when it is master again', async () => {
    const other = await startRedis();
    const demoted = await startRedis();
    const logger = recordingLogger();
    const redis = await clients.connect({ url: demoted.url }, logger);
    await demoted.command(`REPLICAOF 127.0.0.1 ${other.port}`);
    expect(await redis.send(['SET', key, '1']).catch((error: unknown) => error)).toEqual(
      unavailable,
    );
    await waitFor(async () => (await redis.health()).breaker === 'open');
    // A replica answers every PING, but the client must not use it.
    await waitFor(async () => (await redis.health()).breaker === 'half_open', { everyMs: 1 });
    await waitFor(async () => (await redis.health()).breaker === 'open', { everyMs: 1 });
    await demoted.command('REPLICAOF NO ONE');
    await untilUp(redis);
    expect(await redis.send(['SET', key, '1'])).toBe('OK');
    const changes = logger.lines.filter(({ message }) => /^Redis is /.test(message));
    expect(changes).toMatchObject([
      { level: 'info', message: 'Redis is available' },
      { level: 'warn', message: 'Redis is unavailable', details: { reason: expect.any(String) } },
      { level: 'warn', message: 'Redis is available', details: { downMs: expect.any(Number) } },
    ]);
    await redis.close();
    await Promise.all([other.stop(), demoted.stop()]);
  });
});

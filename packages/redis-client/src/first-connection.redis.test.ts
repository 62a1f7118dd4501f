import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  freePort,
  randomPrefix,
  startRedis,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import { defineScript, withFallback } from './index.ts';
import { clientsOfTest } from './testing/clients.ts';

let server: RedisServer;
let key: string;
const clients = clientsOfTest();
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  key = `${randomPrefix()}key`;
});
afterAll(() => server.stop());

const unavailable = expect.objectContaining({ name: 'RedisClientError', code: 'unavailable' });

describe('calls made before the first connection', () => {
  // The race: a process makes calls in the turn in which it creates the client. Invariant: a healthy Redis answers
  // these calls, not the fallback.
  it('wait for it in their order, for every kind of call', async () => {
    const redis = clients.open({ url: server.url });
    expect(redis.available).toBe(false);
    expect(redis.connecting).toBe(true);
    const script = defineScript('first', "return redis.call('APPEND', KEYS[1], 'b')");
    const answers = await Promise.all([
      redis.send(['APPEND', key, 'a']),
      redis.pipeline([['APPEND', key, 'c']]),
      withFallback(
        redis,
        () => redis.send(['APPEND', key, 'd']),
        () => 'fallback',
      ),
      // The server does not know the script, so this call takes a second round trip.
      redis.run({ script, keys: [key as never], args: [] }),
    ]);
    expect(answers).toEqual([1, [2], { value: 3, degraded: false }, 4]);
    expect(await redis.send(['GET', key])).toBe('acdb');
    expect(redis.connecting).toBe(false);
  });

  it('wait for a Redis that starts a little later', async () => {
    const port = await freePort();
    const redis = clients.open({ port, connectTimeoutMs: 10_000 });
    const answer = redis.send(['PING']);
    const late = await startRedis({ port });
    expect(await answer).toBe('PONG');
    await redis.close();
    await late.stop();
  });

  it('fail when it is not there in time; later calls fail at once', async () => {
    const redis = clients.open({ port: await freePort(), connectTimeoutMs: 300 });
    const first = await redis.send(['PING']).catch((error: unknown) => error);
    expect(first).toEqual(unavailable);
    expect(String(first)).toContain('ECONNREFUSED');
    expect(redis.connecting).toBe(false);
    let wasWaiting = false;
    const second = redis.send(['PING']).catch((error: unknown) => error);
    setImmediate(() => (wasWaiting = true));
    expect(await second).toEqual(unavailable);
    expect(wasWaiting).toBe(false);
  });

  it('are bounded: one beyond a thousand fails at once', async () => {
    const redis = clients.open({ port: await freePort(), connectTimeoutMs: 5_000 });
    const failed: unknown[] = [];
    const calls = Array.from({ length: 1_001 }, () =>
      redis.send(['PING']).catch((error: unknown) => failed.push(error)),
    );
    await waitFor(() => failed.length > 0);
    expect(failed).toEqual([unavailable]);
    await redis.close();
    await Promise.all(calls);
    expect(failed).toHaveLength(1_001);
    expect(failed.at(-1)).toMatchObject({ code: 'closed' });
  });

  it('fail at once in an outage after the first connection', async () => {
    const own = await startRedis();
    const redis = await clients.connect({ url: own.url, connectTimeoutMs: 10_000 });
    await own.kill();
    await waitFor(() => !redis.available);
    expect(redis.connecting).toBe(false);
    expect(await redis.send(['PING']).catch((error: unknown) => error)).toEqual(unavailable);
    await redis.close();
    await own.stop();
  });
});

describe('ready', () => {
  it('resolves with true when Redis becomes available', async () => {
    const redis = clients.open({ url: server.url });
    expect(await redis.ready()).toBe(true);
    expect(redis.available).toBe(true);
    expect(await redis.ready()).toBe(true);
  });

  it('resolves with false when Redis is not there in time, at each call', async () => {
    const port = await freePort();
    const redis = clients.open({ port, connectTimeoutMs: 200 });
    expect(await redis.ready()).toBe(false);
    const late = await startRedis({ port });
    await waitFor(async () => redis.ready());
    await redis.close();
    await late.stop();
  });

  it('resolves with false when the client is closed', async () => {
    const redis = clients.open({ port: await freePort(), connectTimeoutMs: 60_000 });
    const ready = redis.ready();
    await redis.close();
    expect(await ready).toBe(false);
    expect(await redis.ready()).toBe(false);
  });
});

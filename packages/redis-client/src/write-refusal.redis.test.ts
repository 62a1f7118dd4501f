import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomPrefix, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { withFallback } from './index.ts';
import { clientsOfTest, recordingLogger, untilUp } from './testing/clients.ts';

let server: RedisServer;
let key: string;
const clients = clientsOfTest();
beforeEach(async () => {
  server = await startRedis({ args: ['--enable-protected-configs', 'yes'] });
  key = `${randomPrefix()}key`;
});
afterEach(() => server.stop());

const refusals = [
  {
    kind: 'OOM',
    begin: () => server.command('CONFIG SET maxmemory 1000000 maxmemory-policy noeviction'),
    end: () => server.command('CONFIG SET maxmemory 0'),
  },
  {
    kind: 'MISCONF',
    async begin() {
      const [folder = ''] = /\/\S+/.exec(await server.command('CONFIG GET dir')) ?? [];
      // Redis cannot write a file in /proc.
      await server.command('CONFIG SET dir /proc');
      await server.command('CONFIG SET save "3600 1" stop-writes-on-bgsave-error yes');
      await server.command('BGSAVE');
      await waitFor(async () =>
        (await server.command('INFO persistence')).includes('rdb_last_bgsave_status:err'),
      );
      return folder;
    },
    async end(folder: string) {
      await server.command(`CONFIG SET dir ${folder}`);
      await server.command('BGSAVE');
    },
  },
  {
    kind: 'NOREPLICAS',
    begin: () => server.command('CONFIG SET min-replicas-to-write 1'),
    end: () => server.command('CONFIG SET min-replicas-to-write 0'),
  },
];

describe('a Redis that answers reads and refuses writes', () => {
  // The fault: PING and GET succeed, so every health check succeeds although no write is possible. Negative control:
  // the client is available before the fault.
  it.each(refusals)(
    'is unavailable, says why, and becomes available again by itself: $kind',
    async (refusal) => {
      const { kind } = refusal;
      const logger = recordingLogger();
      const redis = await clients.connect({ url: server.url }, logger);
      await redis.send(['SET', key, '1']);
      expect(await redis.health()).toMatchObject({ status: 'ok', refusal: null });

      const told: boolean[] = [];
      redis.onAvailability((available) => told.push(available));
      const began = await refusal.begin();
      await waitFor(() => !redis.available, { what: 'the client to notice without a write' });
      expect(await redis.health()).toMatchObject({
        status: 'refusing_writes',
        refusal: kind,
        breaker: 'closed',
        reconnects: 0,
        subscriber: { connected: true },
      });
      const error = await redis.send(['GET', key]).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining(kind) });
      const read = () => redis.send(['GET', key]);
      expect(await withFallback(redis, read, () => 'own')).toEqual({
        value: 'own',
        degraded: true,
      });

      await refusal.end(began);
      await untilUp(redis);
      expect(await redis.send(['GET', key])).toBe('1');
      expect(await redis.health()).toMatchObject({ status: 'ok', refusal: null, reconnects: 0 });
      expect(told).toEqual([false, true]);
      expect(logger.lines.filter(({ message }) => /^Redis is/.test(message))).toMatchObject([
        { level: 'info' },
        { level: 'warn', details: { reason: expect.stringContaining(kind) } },
        { level: 'warn', details: { downMs: expect.any(Number) } },
      ]);
    },
  );

  it('is noticed by the first refused write: a command, a script or one of a pipeline', async () => {
    const redis = await clients.connect({ url: server.url, heartbeatMs: 60_000 });
    await server.command('CONFIG SET min-replicas-to-write 1');
    // The heartbeat runs once a minute, so only the call can notice the refusal.
    const replies = await redis.pipeline([
      ['GET', key],
      ['SET', key, '1'],
    ]);
    expect(replies).toEqual([null, expect.objectContaining({ code: 'unavailable' })]);
    expect(redis.available).toBe(false);
  });

  it('is unavailable from the beginning, and no listener is called', async () => {
    await server.command('CONFIG SET min-replicas-to-write 1');
    const told: boolean[] = [];
    const redis = clients.open({ url: server.url });
    redis.onAvailability((available) => told.push(available));
    expect(await redis.ready()).toBe(false);
    expect((await redis.health()).refusal).toBe('NOREPLICAS');
    expect(told).toEqual([]);
    await server.command('CONFIG SET min-replicas-to-write 0');
    await untilUp(redis);
    expect(told).toEqual([true]);
  });

  // A server at its memory limit accepts one write and refuses the next. Availability must not flap.
  it('is not used again after a single good heartbeat', async () => {
    const redis = await clients.connect({ url: server.url });
    let changes = 0;
    redis.onAvailability(() => (changes += 1));
    for (let round = 0; round < 6; round += 1) {
      await server.command('CONFIG SET min-replicas-to-write 1');
      await waitFor(async () => (await redis.health()).refusal !== null);
      await server.command('CONFIG SET min-replicas-to-write 0');
      const calls = await redis.health();
      expect(calls.status).toBe('refusing_writes');
    }
    expect(changes).toBe(1);
    await untilUp(redis);
  });
});

describe('a command that the ACL denies', () => {
  it('is rejected alone: Redis stays available for all others, also where scripts are denied', async () => {
    await server.command('ACL SETUSER hub on >secret ~* &* +@all -set -eval');
    const redis = await clients.connect({ url: `redis://hub:secret@127.0.0.1:${server.port}` });
    const error = await redis.send(['SET', key, '1']).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'rejected', message: expect.stringContaining('NOPERM') });
    expect(await redis.send(['GET', key])).toBeNull();
    expect(await redis.health()).toMatchObject({ status: 'ok', refusal: null });
  });
});

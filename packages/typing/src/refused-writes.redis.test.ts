import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, type RedisClient } from '@openclaw/redis-client';
import { randomPrefix, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { createTyping } from './index.ts';

let server: RedisServer;
let redis: RedisClient;
beforeEach(async () => {
  server = await startRedis();
  await server.command('ACL SETUSER app on >secret ~* &* +@all');
  redis = createRedisClient({ url: `redis://app:secret@127.0.0.1:${server.port}` });
});
afterEach(async () => {
  await redis.close();
  await server.stop();
});

// The fault: while Redis denied writes, lists were empty, although `degraded` was false. Negative control: the lists
// before and after the denial.
it.each([
  {
    how: 'its memory is full',
    begin: 'CONFIG SET maxmemory 1000000 maxmemory-policy noeviction',
    end: 'CONFIG SET maxmemory 0',
  },
  { how: 'a command is denied', begin: 'ACL SETUSER app -zadd', end: 'ACL SETUSER app +zadd' },
])(
  'typing comes from this process’ own data where Redis refuses writes: $how',
  async ({ begin, end }) => {
    const ttlMs = 1500;
    const typing = createTyping(
      { redis, keys: createKeySchema({ prefix: randomPrefix() }) },
      { ttlMs },
    );
    // Redis answers this call although it comes before the first connection.
    expect(await typing.start('c', 'ann')).toEqual({ changed: true, degraded: false });
    expect(await typing.list('c')).toEqual({ agents: ['ann'], degraded: false });

    await server.command(begin);
    // The client notices a full Redis itself, but a denial only by the next call.
    await waitFor(() => !redis.available || begin.startsWith('ACL'));
    expect(await typing.start('c', 'ben')).toEqual({ changed: true, degraded: true });
    expect(await typing.list('c')).toEqual({ agents: ['ann', 'ben'], degraded: true });
    const [leftMs = 0] = await typing.remainingMs([{ channelId: 'c', agentId: 'ben' }]);
    expect(leftMs).toBeGreaterThan(0);
    expect(typing.degraded).toBe(true);
    expect((await typing.stop('c', 'ben')).changed).toBe(true);
    expect(await typing.list('c')).toEqual({ agents: ['ann'], degraded: true });

    await server.command(end);
    await waitFor(() => !typing.degraded);
    await typing.start('c', 'cem');
    await waitFor(async () => (await typing.list('c')).degraded === false);
    await typing.start('c', 'dan');
    expect((await typing.list('c')).agents.at(-1)).toBe('dan');
    await typing.close();
  },
);

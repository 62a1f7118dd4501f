import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { createRedisClient, parseRedisEnvironment, type RedisClient } from '@openclaw/redis-client';
import { startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { pino } from 'pino';
import { createLatestEvents } from './latest-events.ts';

let server: RedisServer;
let redis: RedisClient;

beforeAll(async () => {
  server = await startRedis();
  redis = createRedisClient(parseRedisEnvironment({ REDIS_URL: server.url })!);
  await waitFor(() => redis.available, { what: 'Redis' });
});
afterAll(async () => {
  await redis?.close();
  await server?.stop();
});

/** The log has one channel, and event n has the id `id-n`. */
function createBench(prefix: string, head: number, hubId = 'hub') {
  const keys = createKeySchema({ prefix });
  const changed: string[] = [];
  const store = {
    epoch: 'now',
    heads: async () => new Map([['c', head]]),
    recentHeads: async () => new Map([['c', head]]),
    logPage: async (_channelId: string, after: number) => ({
      head,
      floor: 1,
      epoch: 'now',
      events: [{ seq: after + 1, id: `id-${after + 1}` } as EncodedEnvelope],
    }),
    async changeEpoch(expected: string) {
      changed.push(expected);
      return 'next';
    },
  };
  const latest = createLatestEvents({
    hubId,
    redis,
    keys,
    store,
    cache: { drop: async () => undefined },
    log: pino({ level: 'silent' }),
    onRestored: () => undefined,
  });
  const remember = (of: string, event: object | string) =>
    redis.send([
      ...(['hset', keys.latestEvents(), of] as const),
      typeof event === 'string' ? event : JSON.stringify(event),
    ]);
  const fields = async () => (await redis.send(['hkeys', keys.latestEvents()])) as string[];
  return { latest, changed, remember, fields };
}

const eventAt = (seq: number, changes = {}) => ({
  epoch: 'now',
  channelId: 'c',
  seq,
  id: `id-${seq}`,
  ...changes,
});

describe('the newest events in Redis', () => {
  it('are one per hub, and prove nothing while the log holds them', async () => {
    const { latest, changed, fields, remember } = createBench('held:', 5);
    await remember('other', eventAt(4));
    await latest.compare(0);
    latest.record(eventAt(5) as unknown as EncodedEnvelope);
    await latest.close();
    expect([(await fields()).sort(), changed]).toEqual([['hub', 'other'], []]);
  });

  it('change the epoch when the log is shorter or holds a different event at that seq', async () => {
    for (const [prefix, event] of [
      ['shorter:', eventAt(6)],
      ['another:', eventAt(3, { id: 'another' })],
    ] as const) {
      const { latest, changed, remember } = createBench(prefix, 5);
      await remember('gone', event);
      await latest.compare(0);
      await latest.close();
      expect(changed).toEqual(['now']);
    }
  });

  it('are removed when they are of another epoch, malformed, or too many', async () => {
    const { latest, changed, fields, remember } = createBench('pruned:', 99);
    await remember('before', eventAt(200, { epoch: 'before' }));
    await remember('garbage', '{');
    for (let n = 10; n < 50; n += 1) await remember(`hub-${n}`, eventAt(n));
    await latest.compare(0);
    await latest.close();
    expect(changed).toEqual([]);
    const kept = Array.from({ length: 32 }, (_, n) => `hub-${n + 18}`);
    expect((await fields()).sort()).toEqual(kept);
  });
});

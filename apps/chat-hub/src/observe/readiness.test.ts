import { describe, expect, it } from '@jest/globals';
import type { StoreHealth } from '@openclaw/chat-store';
import type { PublishPath } from '../recovery/self-probe.ts';
import { createReadiness, createStartReadiness, type ReadinessDeps } from './readiness.ts';

describe('the readiness of a hub', () => {
  // The race: hundreds of unauthenticated requests arrive at once. The store runs few system reads at a time, so the
  // reads for these requests would delay the heartbeats of the store.
  it('is queried once for all concurrent requests, and again for a later one', async () => {
    const health: StoreHealth = {
      status: 'ok',
      engine: 'sqlite',
      latencyMs: 1,
      queueLength: 0,
    };
    const queries: PromiseWithResolvers<StoreHealth>[] = [];
    const store: ReadinessDeps['store'] = {
      newerSchema: null,
      health() {
        const query = Promise.withResolvers<StoreHealth>();
        queries.push(query);
        return query.promise;
      },
    };
    const redis = { health: async () => ({}) } as unknown as ReadinessDeps['redis'];
    const database = { isUp: true };
    const publishPath = () => ({ status: 'unused' }) as PublishPath;
    const readiness = createReadiness({
      hubId: 'h',
      store,
      database,
      ownOutage: { isAlone: false },
      redis,
      publishPath,
    });
    const reports = Array.from({ length: 300 }, () => readiness.report());
    expect(queries).toHaveLength(1);
    queries[0]?.resolve(health);
    expect((await Promise.all(reports)).every(({ ready }) => ready)).toBe(true);

    const later = readiness.report();
    expect(queries).toHaveLength(2);
    readiness.drain();
    queries[1]?.resolve({ ...health, status: 'down' });
    expect(await later).toMatchObject({
      ready: false,
      reason: 'draining',
      draining: true,
      database: { status: 'down' },
    });
  });

  it.each([
    ['serves', {}, { ready: true, reason: null, degraded: false, database: { status: 'ok' } }],
    [
      'has lost PostgreSQL, as all hubs have',
      { down: 'postgres' },
      { ready: true, reason: null, degraded: true },
    ],
    [
      'has lost PostgreSQL, and another hub has not',
      { down: 'postgres', isAlone: true },
      { ready: false, reason: 'database_of_this_hub', degraded: true },
    ],
    [
      'alone may not write',
      { isUp: false, isAlone: true },
      {
        ready: false,
        reason: 'database_of_this_hub',
        database: { status: 'refusing_writes' },
      },
    ],
    [
      'has lost its own SQLite file',
      { down: 'sqlite' },
      { ready: false, reason: 'database_file', degraded: true },
    ],
    [
      'must not use its database any more',
      { down: 'sqlite', isUp: false, isAlone: true, newerSchema: 'needs release 9.0.0' },
      { ready: false, reason: 'newer_schema', degraded: true },
    ],
    [
      'may not write',
      { isUp: false },
      { ready: true, degraded: true, database: { status: 'refusing_writes' } },
    ],
    ['has lost Redis', { redis: 'down' }, { ready: true, degraded: true }],
    ['was given no Redis', { redis: 'down', path: 'unused' }, { ready: true, degraded: false }],
    ['hears nothing', { path: 'down' }, { ready: true, degraded: true }],
    [
      'has a database that hangs, which its calls have shown',
      { hangs: true, isUp: false },
      { ready: true, degraded: true, database: { status: 'down', latencyMs: null } },
    ],
    [
      'has a database that is only slow',
      { hangs: true },
      { ready: true, degraded: false, database: { status: 'ok', latencyMs: null } },
    ],
  ] as const)('a hub that %s', async (_what, given, expected) => {
    const {
      down,
      isAlone = false,
      newerSchema = null,
      isUp = true,
      hangs = false,
      redis = 'ok',
      path = 'ok',
    } = given as {
      readonly down?: 'postgres' | 'sqlite';
      readonly isAlone?: boolean;
      readonly newerSchema?: string | null;
      readonly isUp?: boolean;
      readonly hangs?: boolean;
      readonly redis?: string;
      readonly path?: string;
    };
    const health: StoreHealth = {
      status: down ? 'down' : 'ok',
      engine: down ?? 'postgres',
      latencyMs: down ? null : 1,
      queueLength: 0,
    };
    const readiness = createReadiness({
      hubId: 'h',
      store: {
        newerSchema,
        health: () => (hangs ? new Promise(() => undefined) : Promise.resolve(health)),
      },
      database: { isUp },
      ownOutage: { isAlone },
      redis: { health: async () => ({ status: redis }) } as never,
      publishPath: () => ({ status: path }) as PublishPath,
    });
    expect(await readiness.report()).toMatchObject({ state: 'serving', ...expected });
    readiness.drain();
    expect(await readiness.report()).toMatchObject({
      state: 'draining',
      ready: false,
      reason: 'draining',
    });
  });

  it('is starting until the hub has started', async () => {
    const start = createStartReadiness('h');
    expect(await start.report()).toEqual({
      ready: false,
      reason: 'starting',
      hubId: 'h',
      state: 'starting',
      draining: false,
    });
    const ready = { ready: true } as never;
    start.started({ report: async () => ready, state: 'serving', drain: () => undefined });
    expect(await start.report()).toBe(ready);
    expect(start.state).toBe('serving');
  });
});

import { describe, expect, it } from '@jest/globals';
import type { StoreHealth } from '@openclaw/chat-store';
import type { PublishPath } from '../recovery/self-probe.ts';
import { createReadiness, type ReadinessDeps } from './readiness.ts';

describe('the readiness of a hub', () => {
  // The race: hundreds of unauthenticated requests at once. The store runs few system reads at a time, so these
  // requests would delay its checks and heartbeats, and the hub would not be ready. Invariant: concurrent requests cost
  // one query.
  it('is queried once for all concurrent requests, and again for a later one', async () => {
    const health: StoreHealth = {
      status: 'ok',
      engine: 'sqlite',
      latencyMs: 1,
      queueLength: 0,
    };
    const queries: PromiseWithResolvers<StoreHealth>[] = [];
    const store: ReadinessDeps['store'] = {
      health() {
        const query = Promise.withResolvers<StoreHealth>();
        queries.push(query);
        return query.promise;
      },
    };
    const redis = { health: async () => ({}) } as unknown as ReadinessDeps['redis'];
    const publishPath = () => ({ status: 'unused' }) as PublishPath;
    const readiness = createReadiness({ hubId: 'h', store, redis, publishPath });
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
      draining: true,
      database: { status: 'down' },
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import type { StoreHealth } from '@openclaw/chat-store';
import type { PublishPath } from '../recovery/self-probe.ts';
import { createReadiness, type ReadinessDeps } from './readiness.ts';

describe('whether a hub is ready', () => {
  // The race: strangers ask by the hundred, for nobody has to say who they are. The store's lane for what keeps the hub
  // going is narrow: their questions would fill it, fail its checks and beats, and turn the answer red. Invariant:
  // however many ask at a time, the database is asked once.
  it('is looked at once for all who ask meanwhile, and again for who asks later', async () => {
    const health: StoreHealth = {
      ...{ status: 'ok', engine: 'sqlite', latencyMs: 1, queueLength: 0 },
    };
    const asked: PromiseWithResolvers<StoreHealth>[] = [];
    const store: ReadinessDeps['store'] = {
      health() {
        const question = Promise.withResolvers<StoreHealth>();
        asked.push(question);
        return question.promise;
      },
    };
    const redis = { health: async () => ({}) } as unknown as ReadinessDeps['redis'];
    const publishPath = () => ({ status: 'unused' }) as PublishPath;
    const readiness = createReadiness({ hubId: 'h', store, redis, publishPath });
    const reports = Array.from({ length: 300 }, () => readiness.report());
    expect(asked).toHaveLength(1);
    asked[0]?.resolve(health);
    expect((await Promise.all(reports)).every(({ ready }) => ready)).toBe(true);

    const later = readiness.report();
    expect(asked).toHaveLength(2);
    readiness.drain();
    asked[1]?.resolve({ ...health, status: 'down' });
    expect(await later).toMatchObject({
      ready: false,
      draining: true,
      database: { status: 'down' },
    });
  });
});

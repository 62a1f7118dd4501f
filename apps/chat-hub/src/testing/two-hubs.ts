import { startPostgres, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import type { StartOptions } from '../start-hub.ts';
import { closeAfterAll } from './close-after-all.ts';
import { startTestHub, temporaryDatabase, type TestDatabase, type TestHub } from './test-hub.ts';

export interface TwoHubs {
  readonly redis: RedisServer;
  readonly database: TestDatabase;
  readonly environment: Readonly<Record<string, string>>;
  readonly hubA: TestHub;
  readonly hubB: TestHub;
}

/** Waits until both hubs use Redis. Everything is closed after the last test of the file. */
export async function startTwoHubs(
  variables: Readonly<Record<string, string>> = {},
  options: StartOptions = {},
): Promise<TwoHubs> {
  const redis = closeAfterAll(await startRedis());
  const database = closeAfterAll(await temporaryDatabase());
  const environment = { REDIS_URL: redis.url, HUB_DB_URL: database.url, ...variables };
  const hubA = closeAfterAll(await startTestHub(environment, options));
  const hubB = closeAfterAll(await startTestHub(environment, options));
  await waitFor(() => hubA.redis.available && hubB.redis.available, {
    what: 'Redis for both hubs',
  });
  return { redis, database, environment, hubA, hubB };
}

export interface TwoHubsOnDatabase extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly hubs: readonly [TestHub, TestHub];
}

export async function startTwoHubsOn(
  engine: 'SQLite' | 'PostgreSQL',
  variables: Readonly<Record<string, string>>,
  options: StartOptions = {},
): Promise<TwoHubsOnDatabase> {
  const database = engine === 'SQLite' ? await temporaryDatabase() : await startPostgres();
  const environment = { HUB_DB_URL: database.url, ...variables };
  const hubs = [
    await startTestHub(environment, options),
    await startTestHub(environment, options),
  ] as const;
  return {
    databaseUrl: database.url,
    hubs,
    async [Symbol.asyncDispose]() {
      for (const hub of hubs) await hub.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

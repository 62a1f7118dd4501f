import { afterAll, beforeAll, describe } from '@jest/globals';
import { startPostgres, type PostgresServer } from '@openclaw/test-support';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { createChatStore } from '../index.ts';
import { describeMigrations } from './migrations.contract.ts';

describe('a database of an earlier release, on PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  describeMigrations(() => ({
    dialect: 'postgres',
    connect: () =>
      new Kysely({
        dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: server.url }) }),
      }),
    open: () => createChatStore({ url: server.url }),
  }));
});

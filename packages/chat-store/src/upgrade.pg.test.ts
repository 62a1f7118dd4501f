import { startPostgres } from '@openclaw/test-support';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { describeUpgrade } from './contract/upgrade.contract.ts';
import { openPostgresCore } from './postgres/postgres-core.ts';

describeUpgrade('postgres', async () => {
  const server = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const settings = { url: server.url, timeoutMs: 2900, lockTimeoutMs: 2000, poolSize: 2 };
  return {
    db,
    open: () =>
      openPostgresCore(settings, (fault) => {
        throw new Error(fault);
      }),
    async stop() {
      await db.destroy();
      await server.stop();
    },
  };
});

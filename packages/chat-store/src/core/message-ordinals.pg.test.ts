import { startPostgres } from '@openclaw/test-support';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { describeMessageOrdinals } from './message-ordinals.contract.ts';
import type { Tables } from './tables.ts';

describeMessageOrdinals('postgres', async () => {
  const server = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url });
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    url: server.url,
    db,
    async close() {
      await db.destroy();
      await server.stop();
    },
  };
});

import { startPostgres } from '@openclaw/test-support';
import { describeGrowth } from './contract/growth.contract.ts';
import { openPostgresCore } from './postgres/postgres-core.ts';

describeGrowth('PostgreSQL', async () => {
  const server = await startPostgres();
  const settings = { url: server.url, timeoutMs: 2900, lockTimeoutMs: 2000, poolSize: 2 };
  return {
    open: () =>
      openPostgresCore(settings, (fault) => {
        throw new Error(fault);
      }),
    run: (sql) => void server.query(sql),
    count: (sql) => Number(server.query(sql)),
    bytes() {
      // In production autovacuum does this once two thousand rows and 2% of a table are deleted.
      server.query('vacuum');
      return Number(
        server.query(`select sum(pg_total_relation_size(oid)) from pg_class
          where relkind = 'r' and relnamespace = 'public'::regnamespace`),
      );
    },
    stop: () => server.stop(),
  };
});

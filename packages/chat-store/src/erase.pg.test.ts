import { startPostgres } from '@openclaw/test-support';
import { describeErase } from './contract/erase.contract.ts';
import { openPostgresCore } from './postgres/postgres-core.ts';

describeErase('PostgreSQL', async () => {
  const server = await startPostgres();
  const settings = { url: server.url, timeoutMs: 2900, lockTimeoutMs: 2000, poolSize: 2 };
  return {
    open: () =>
      openPostgresCore(settings, (fault) => {
        throw new Error(fault);
      }),
    run: (sql) => void server.query(sql),
    count: (sql) => Number(server.query(sql)),
    stop: () => server.stop(),
  };
});

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryFolder } from '@openclaw/test-support';
import { describeErase } from './contract/erase.contract.ts';
import { openSqliteCore } from './sqlite/sqlite-core.ts';

describeErase('SQLite', async () => {
  const folder = await temporaryFolder('erase');
  const path = join(folder.path, 'hub.sqlite');
  const using = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(path);
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  return {
    open: () =>
      openSqliteCore({ path, lockTimeoutMs: 2000, timeoutMs: 2900 }, (fault) => {
        throw new Error(fault);
      }),
    run: (sql) => using((database) => database.exec(sql)),
    count: (sql) =>
      using((database) => Number(Object.values(database.prepare(sql).get() ?? {})[0])),
    stop: () => folder.remove(),
  };
});

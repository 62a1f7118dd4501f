import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryFolder } from '@openclaw/test-support';
import { describeGrowth } from './contract/growth.contract.ts';
import { openSqliteCore } from './sqlite/sqlite-core.ts';

describeGrowth('SQLite', async () => {
  const folder = await temporaryFolder('growth');
  const path = join(folder.path, 'hub.sqlite');
  const using = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(path);
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  const count = (sql: string) =>
    using((database) => Number(Object.values(database.prepare(sql).get() ?? {})[0]));
  return {
    open: () =>
      openSqliteCore({ path, lockTimeoutMs: 2000, timeoutMs: 2900 }, (fault) => {
        throw new Error(fault);
      }),
    run: (sql) => using((database) => database.exec(sql)),
    count,
    bytes: () =>
      count('select page_count * page_size from pragma_page_count(), pragma_page_size()'),
    stop: () => folder.remove(),
  };
});

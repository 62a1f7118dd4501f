import { join } from 'node:path';
import { temporaryFolder } from '@openclaw/test-support';
import { Kysely } from 'kysely';
import { describeUpgrade } from './contract/upgrade.contract.ts';
import { createNodeSqliteDialect, openDatabase } from './sqlite/database.ts';
import { openSqliteCore } from './sqlite/sqlite-core.ts';

describeUpgrade('sqlite', async () => {
  const folder = await temporaryFolder('upgrade');
  const path = join(folder.path, 'hub.sqlite');
  const db = new Kysely<unknown>({
    dialect: createNodeSqliteDialect(openDatabase(path, 2000, false), false),
  });
  return {
    db,
    open: () =>
      openSqliteCore({ path, lockTimeoutMs: 2000, timeoutMs: 2900 }, (fault) => {
        throw new Error(fault);
      }),
    async stop() {
      await db.destroy();
      await folder.remove();
    },
  };
});

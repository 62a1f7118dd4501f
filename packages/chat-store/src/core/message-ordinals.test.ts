import { join } from 'node:path';
import { temporaryFolder } from '@openclaw/test-support';
import { Kysely } from 'kysely';
import { createNodeSqliteDialect, openDatabase } from '../sqlite/database.ts';
import { describeMessageOrdinals } from './message-ordinals.contract.ts';
import type { Tables } from './tables.ts';

describeMessageOrdinals('sqlite', async () => {
  const folder = await temporaryFolder('ordinals');
  const path = join(folder.path, 'hub.sqlite');
  const db = new Kysely<Tables>({
    dialect: createNodeSqliteDialect(openDatabase(path, 1000, false), false),
  });
  return {
    url: `sqlite:${path}`,
    db,
    async close() {
      await db.destroy();
      await folder.remove();
    },
  };
});

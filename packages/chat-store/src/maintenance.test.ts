import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { temporaryFolder } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';
import { describeMaintenance } from './maintenance.contract.ts';

const scope = testScope();

describeMaintenance(async () => {
  const folder = await scope.use(temporaryFolder('maintenance'));
  const path = join(folder.path, 'hub.sqlite');
  return {
    url: `sqlite:${path}`,
    run(statement) {
      const database = new DatabaseSync(path);
      database.exec('PRAGMA busy_timeout = 5000');
      database.exec(statement);
      database.close();
    },
  };
});

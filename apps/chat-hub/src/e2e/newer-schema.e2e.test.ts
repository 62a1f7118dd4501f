import { DatabaseSync } from 'node:sqlite';
import { describe } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { describeNewerSchema } from './newer-schema.contract.ts';

describe('a hub on SQLite under a newer schema', () => {
  describeNewerSchema(async () => {
    const folder = closeAfterAll(await temporaryFolder('newer'));
    const path = `${folder.path}/hub.sqlite`;
    return {
      url: `sqlite:${path}`,
      run(statements) {
        const database = new DatabaseSync(path);
        database.exec('PRAGMA busy_timeout = 5000');
        database.exec(statements);
        database.close();
      },
    };
  });
});

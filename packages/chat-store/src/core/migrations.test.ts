import { join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { Kysely } from 'kysely';
import { createChatStore } from '../index.ts';
import { createNodeSqliteDialect, openDatabase } from '../sqlite/database.ts';
import { describeMigrations } from './migrations.contract.ts';

describe('a database of an earlier release, on SQLite', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder('migrations');
  });
  afterAll(() => folder.remove());

  describeMigrations(() => {
    const path = join(folder.path, 'hub.sqlite');
    return {
      dialect: 'sqlite',
      connect: () =>
        new Kysely({ dialect: createNodeSqliteDialect(openDatabase(path, 1000, false), false) }),
      open: () => createChatStore({ url: `sqlite:${path}` }),
    };
  });
});

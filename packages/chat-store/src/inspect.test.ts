import { writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';
import { createChatStore, inspectStore } from './index.ts';
import { describeInspection, failureOf } from './inspect.contract.ts';

const scope = testScope();
const newPath = async () => join((await scope.use(temporaryFolder('inspect'))).path, 'hub.sqlite');

describeInspection('an SQLite file', async () => {
  const path = await newPath();
  new DatabaseSync(path).close();
  return `sqlite:${path}`;
});

it('does not create a missing file', async () => {
  const path = await newPath();
  expect(await failureOf(`sqlite:${path}`)).toBe(`unavailable: there is no file ${path}`);
  expect(existsSync(path)).toBe(false);
});

it('reports that a file is not a database', async () => {
  const path = await newPath();
  await writeFile(path, 'x'.repeat(4096));
  expect(await failureOf(`sqlite:${path}`)).toBe('unavailable: file is not a database');
});

it('recognizes the migrations of a newer release', async () => {
  const path = await newPath();
  await (await createChatStore({ url: `sqlite:${path}` })).close();
  const database = new DatabaseSync(path);
  database.exec("insert into chat_store_migrations values ('9999_later', '2030-01-01')");
  database.close();
  expect((await inspectStore(`sqlite:${path}`)).schema).toEqual({
    latest: '9999_later',
    pending: [],
    newer: ['9999_later'],
  });
});

import { describe } from '@jest/globals';
import { startPostgres } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { describeNewerSchema } from './newer-schema.contract.ts';

const postgres = closeAfterAll(await startPostgres());

describe('a hub on PostgreSQL under a newer schema', () => {
  let databases = 0;
  describeNewerSchema(async () => {
    const name = `newer${(databases += 1)}`;
    postgres.query(`create database ${name}`, 'postgres');
    return {
      url: postgres.url.replace(/hub$/, name),
      run: (statements) => void postgres.query(statements, name),
    };
  });
});

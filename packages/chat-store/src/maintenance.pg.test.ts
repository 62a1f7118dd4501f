import { startPostgres } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { beforeAll } from '@jest/globals';
import { describeMaintenance } from './maintenance.contract.ts';

const scope = suiteScope();
let server: Awaited<ReturnType<typeof startPostgres>>;
let databases = 0;
beforeAll(async () => {
  server = await scope.use(startPostgres());
});

describeMaintenance(async () => {
  const name = `bare${++databases}`;
  server.query(`create database ${name}`, 'postgres');
  return {
    url: server.url.replace(/hub$/, name),
    run: (statement) => void server.query(statement, name),
  };
});

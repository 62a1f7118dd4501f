import { beforeAll, expect, it } from '@jest/globals';
import { freePort, startPostgres, type PostgresServer } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { describeInspection, failureOf } from './inspect.contract.ts';

const suite = suiteScope();
let server: PostgresServer;
let databases = 0;
beforeAll(async () => {
  server = await suite.use(startPostgres());
});

async function newDatabase(): Promise<string> {
  databases += 1;
  server.query(`create database inspect${databases} owner hub`);
  return server.url.replace(/\/hub$/, `/inspect${databases}`);
}

describeInspection('a PostgreSQL database', newDatabase);

it('says why it cannot be read, without the password, and within its timeout', async () => {
  const away = `postgres://hub:secret-word@127.0.0.1:${await freePort()}/hub`;
  expect(await failureOf(away)).toMatch(/^unavailable: .*ECONNREFUSED/);
  expect(await failureOf(server.url.replace(/\/hub$/, '/nowhere'))).toMatch(/does not exist/);
  expect(await failureOf(away)).not.toContain('secret-word');
  server.freeze();
  const startMs = performance.now();
  expect(await failureOf(server.url)).toMatch(/^unavailable/);
  expect(performance.now() - startMs).toBeLessThan(2_000);
  server.thaw();
});

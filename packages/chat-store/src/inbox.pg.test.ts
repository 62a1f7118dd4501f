import pg from 'pg';
import { describeInboxRows } from './contract/inbox-rows.contract.ts';
import { openPostgres } from './contract/opened-database.contract.ts';

describeInboxRows('PostgreSQL', openPostgres, async (url, sql) => {
  const client = new pg.Client(url);
  await client.connect();
  await client.query('begin');
  await client.query(sql);
  return async () => {
    await client.query('commit');
    await client.end();
  };
});

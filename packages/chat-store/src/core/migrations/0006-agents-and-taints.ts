import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

/** The log's rows stay unchanged: readers add the fields that a row lacks. */
export async function addAgentsAndTaints(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await runAll(db, [
    sql`create table agents (
      id ${id} not null primary key,
      kind text,
      first_seen bigint,
      last_seen bigint
    ) ${clustered}`,
    sql`insert into agents (id) select distinct agent_id from members`,
    sql`alter table messages add column taint text`,
  ]);
}

import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

/** Turns are counted in rows that each message reads or writes anyway. */
export async function addBudgets(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await runAll(db, [
    sql`alter table channels add column agent_turns bigint`,
    sql`alter table channels add column per_minute bigint`,
    sql`alter table messages add column turns text`,
    sql`alter table threads add column turns text`,
    sql`create table thread_budgets (
      channel_id ${id} not null,
      thread_id ${id} not null,
      agent_turns bigint,
      per_minute bigint,
      constraint thread_budgets_key primary key (channel_id, thread_id)
    ) ${clustered}`,
  ]);
}

import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf } from './statements.ts';

/** The hour is the second column of the key, so retention removes a range of the key. */
export async function addLedger(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await sql`create table ledger (
    channel_id ${id} not null,
    hour bigint not null,
    thread_id ${id} not null,
    agent_id ${id} not null,
    turns bigint not null,
    tokens_in bigint not null,
    tokens_out bigint not null,
    cost_micros bigint not null,
    ms bigint not null,
    constraint ledger_key primary key (channel_id, hour, thread_id, agent_id)
  ) ${clustered}`.execute(db);
}

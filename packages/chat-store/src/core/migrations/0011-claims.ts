import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf } from './statements.ts';

export async function addClaims(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await sql`create table claims (
    channel_id ${id} not null,
    thread_id ${id} not null,
    agent_id ${id} not null,
    fence bigint not null,
    until_at bigint not null,
    released integer not null,
    constraint claims_key primary key (channel_id, thread_id)
  ) ${clustered}`.execute(db);
}

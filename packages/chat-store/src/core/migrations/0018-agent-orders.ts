import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf } from './statements.ts';

export async function createAgentOrdersTable(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await sql`create table agent_orders (
    agent_id ${id} not null,
    kind text not null,
    value text not null,
    given_at bigint not null,
    until_at bigint,
    constraint agent_orders_key primary key (agent_id, kind)
  ) ${clustered}`.execute(db);
}

import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf } from './statements.ts';

export async function createHubAgentsTable(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await sql`create table hub_agents (
    agent_id ${id} not null,
    hub_id ${id} not null,
    connections bigint not null,
    report text,
    constraint hub_agents_key primary key (agent_id, hub_id)
  ) ${clustered}`.execute(db);
}

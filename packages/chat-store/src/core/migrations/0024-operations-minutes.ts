import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

export async function addOperationsMinutes(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await runAll(db, [
    sql`create table operations_minutes (
      at bigint not null,
      hub_id ${id} not null,
      figures text not null,
      constraint operations_minutes_key primary key (at, hub_id)
    ) ${clustered}`,
    sql`alter table hubs add column figures text`,
  ]);
}

import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

/** The row of a frozen channel also holds the freeze, because each write locks this row anyway. */
export async function addFreezes(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id, clustered } = columnsOf(dialect);
  await runAll(db, [
    sql`alter table channels add column frozen_at bigint`,
    sql`create table freezes (
      scope text not null,
      id ${id} not null,
      reason text not null,
      set_by ${id} not null,
      set_at bigint not null,
      constraint freezes_key primary key (scope, id)
    ) ${clustered}`,
  ]);
}

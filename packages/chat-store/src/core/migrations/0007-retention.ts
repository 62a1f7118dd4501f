import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

export async function addRetention(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const { id, clustered } = columnsOf(dialect);
  await runAll(db, [
    sql`alter table channels add column retention_ms bigint`,
    sql`alter table channels add column max_messages bigint`,
    sql`create index channels_to_trim on channels (id)
      where retention_ms is not null or max_messages is not null`,
    sql`create table log_floors (
      channel_id ${id} not null primary key,
      floor bigint not null,
      rewrites bigint not null
    ) ${clustered}`,
    sql`create table sweeps (
      name text not null primary key,
      after_id ${id} not null,
      due_at bigint not null
    )`,
    sql`insert into sweeps (name, after_id, due_at) values ('retention', '', 0)`,
  ]);
  if (isSqlite) return;
  // The sweeper deletes as many rows as agents write, so PostgreSQL must reuse their space early, not when a fifth of
  // the table is deleted.
  for (const table of ['log', 'messages', 'reactions', 'mentions']) {
    await sql`alter table ${sql.table(table)} set
      (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)`.execute(db);
  }
}

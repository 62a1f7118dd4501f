import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { firstDoc } from '../search/search-tables.ts';
import { columnsOf, runAll } from './statements.ts';

/** Messages that exist already are indexed later, in pieces, newest first, while hubs use the database. */
export async function createSearchTables(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const { id, clustered } = columnsOf(dialect);
  await runAll(db, [
    sql`create table search_docs (
      doc ${isSqlite ? sql`integer` : sql`bigint`} not null primary key,
      channel_id ${id} not null,
      seq bigint not null
    )`,
    sql`create unique index search_docs_by_message on search_docs (channel_id, seq)`,
    sql`create table search_postings (
      segment bigint not null,
      term ${id} not null,
      part bigint not null,
      docs ${isSqlite ? sql`blob` : sql`bytea`} not null,
      constraint search_postings_key primary key (segment, term, part)
    ) ${clustered}`,
    sql`create table search_segments (
      segment bigint not null primary key,
      oldest_at bigint not null,
      newest_at bigint not null,
      work integer not null,
      work_after ${id} not null
    ) ${clustered}`,
    sql`create index search_segments_work on search_segments (segment) where work > 0`,
    sql`create table search_fed (
      channel_id ${id} not null primary key,
      seq bigint not null
    ) ${clustered}`,
    sql`create table search_feed (
      name text not null primary key,
      epoch text not null,
      mark text not null,
      next_doc bigint not null,
      first_doc bigint not null,
      part bigint not null,
      check_after ${id},
      backfill_before ${id}
    )`,
    sql`insert into search_fed (channel_id, seq)
      select id, coalesce((select max(seq) from log where channel_id = channels.id), 0)
      from channels`,
    // `~` sorts after the id of every message, so indexing begins at the newest one.
    sql`insert into search_feed
        (name, epoch, mark, next_doc, first_doc, part, check_after, backfill_before)
      values ('feed', '', '{"next":0,"open":[]}', ${sql.lit(firstDoc)}, ${sql.lit(firstDoc)}, 0,
        '', '~')`,
  ]);
  if (isSqlite) return;
  // The sweep replaces as many rows as indexing adds, so the space of replaced rows must be reused soon.
  for (const table of ['search_docs', 'search_postings']) {
    await sql`alter table ${sql.table(table)} set
      (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)`.execute(db);
  }
}

import { sql, type Kysely } from 'kysely';

// The index of messages for search. Each message is a document with a number. Numbers rise with the time of the
// messages: new messages get the next number above `next_doc`, and the messages from before the index got numbers
// downwards from it. 4096 consecutive numbers are a segment. A posting lists the documents of one segment that contain
// one term. So a search reads segment after segment, newest first, and needs a bounded number of rows for each,
// however common the word is.

/** The number of the first document that was indexed. Numbers above and below it are safe integers for a long time. */
export const firstDoc = 2 ** 40;

export interface SearchDocsTable {
  doc: number;
  channel_id: string;
  seq: number;
}

/**
 * The documents of a segment that contain a term. `part` distinguishes the rows that several pieces of work added; the
 * sweep of the segment merges them into one row with part 0.
 */
export interface SearchPostingsTable {
  segment: number;
  /** A word, `#` with a channelId, or `@` with the agentId of a sender. */
  term: string;
  part: number;
  /** See posting-list.ts. */
  docs: Uint8Array;
}

export interface SearchSegmentsTable {
  segment: number;
  /** The earliest and the latest time of its messages. */
  oldest_at: number;
  newest_at: number;
  /** 0: nothing to do; 1: its postings are to be swept; 2: once more, because it changed meanwhile. */
  work: number;
  /** Terms up to this one are swept. */
  work_after: string;
}

/** The seq up to which a channel's log is indexed. */
export interface SearchFedTable {
  channel_id: string;
  seq: number;
}

/** The position of the feed, in one row. Its lock makes one hub at a time feed the index. */
export interface SearchFeedTable {
  name: string;
  /** The epoch in which `mark` is valid; empty before the first piece. */
  epoch: string;
  /** Commits before this mark are indexed; a CommitMark as JSON. */
  mark: string;
  next_doc: number;
  /** The lowest number of a document. */
  first_doc: number;
  /** Counts pieces, for the parts of their postings. */
  part: number;
  /** Channels up to this one are compared with the index after a restore; null when all are. */
  check_after: string | null;
  /** The ids of older messages that are still to be indexed are below this one; null when none are left. */
  backfill_before: string | null;
}

/**
 * Creates the empty index. The messages that exist are indexed in pieces afterwards, newest first, while the hubs
 * serve.
 */
export async function createSearchTables(
  db: Kysely<unknown>,
  dialect: 'sqlite' | 'postgres',
): Promise<void> {
  const isSqlite = dialect === 'sqlite';
  const id = isSqlite ? sql`text` : sql`text collate "C"`;
  const clustered = isSqlite ? sql`without rowid` : sql``;
  const statements = [
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
    // Every id of a message is below the backfill's first bound.
    sql`insert into search_feed
        (name, epoch, mark, next_doc, first_doc, part, check_after, backfill_before)
      values ('feed', '', '{"next":0,"open":[]}', ${sql.lit(firstDoc)}, ${sql.lit(firstDoc)}, 0,
        '', '~')`,
  ];
  for (const statement of statements) await statement.execute(db);
  if (isSqlite) return;
  // Sweeping replaces as many rows as feeding adds, so their space must be reused soon.
  for (const table of ['search_docs', 'search_postings']) {
    await sql`alter table ${sql.table(table)} set
      (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)`.execute(db);
  }
}

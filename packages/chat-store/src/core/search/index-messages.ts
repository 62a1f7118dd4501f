import type { Message } from '@openclaw/protocol';
import { searchWords } from '@openclaw/protocol/wire';
import { sql, type Kysely, type Selectable } from 'kysely';
import type { Engine } from '../engine.ts';
import { jsonList } from '../json-list.ts';
import { idsFrom } from '../new-id.ts';
import type { ReportFault } from '../run-group.ts';
import { eventOfRow } from '../stored-envelope.ts';
import type { Tables } from '../tables.ts';
import { createPauses } from './pauses.ts';
import { disorderMs, encodeDocs, segmentDocs, segmentOf } from './posting-list.ts';
import { insertPostings, removeDocs } from './postings.ts';
import type { SearchFeedTable } from './search-tables.ts';
import type { IndexedRow } from './unindexed.ts';

/** After this many pieces, the sweep merges the rows of open segments, because each piece adds a row for each word. */
const partsMax = 64;

type Feed = Selectable<SearchFeedTable>;

export type Changing = { -readonly [K in keyof Feed]: Feed[K] };

export interface SplitRow extends Omit<IndexedRow, 'sender_id' | 'envelope'> {
  /** The message's time; null if the message is gone or unreadable. */
  readonly timestamp: number | null;
  readonly terms: readonly string[];
}

/** Splits the texts of rows into terms, at most `most` terms in total. Always takes at least one row. */
export async function splitTexts(
  rows: readonly IndexedRow[],
  report: ReportFault,
  most = Infinity,
): Promise<SplitRow[]> {
  const pauses = createPauses();
  const split: SplitRow[] = [];
  let terms = 0;
  for (const row of rows) {
    const { id, channel_id, seq, doc, gone, envelope } = row;
    const message = gone === 1 ? null : messageIn(row, report);
    const own = message ? termsOf(message, row) : [];
    terms += own.length;
    if (terms > most && split.length > 0) break;
    // A piece has many rows, so only what it needs of each row stays in memory.
    const timestamp = message?.timestamp ?? null;
    split.push({ id, channel_id, seq, doc, gone, timestamp, terms: own });
    if (message) await pauses.after(envelope.length);
  }
  return split;
}

export async function indexMessages(
  engine: Engine,
  feed: Changing,
  rows: SplitRow[],
  place: 'newer' | 'older',
): Promise<void> {
  if (rows.length === 0) return;
  const { db, dialect } = engine;
  const removed = rows.flatMap(({ doc, gone }) => (gone === 1 && doc !== null ? [doc] : []));
  await removeDocs(db, removed);
  const added: (readonly [doc: number, channelId: string, seq: number])[] = [];
  const found = new Map<number, Map<string, number[]>>();
  const times = new Map<number, { oldest: number; newest: number }>();
  const changed = new Set<number>();
  const openBefore = openSegments(feed);
  rows.sort(place === 'newer' ? byAge : (a, b) => byAge(b, a));
  if (place === 'newer') await keepOrder(db, feed, rows);
  for (const row of rows) {
    const { timestamp } = row;
    if (timestamp === null) continue;
    const doc = row.doc ?? takeNumber(feed, place);
    if (row.doc === null) added.push([doc, row.channel_id, row.seq]);
    const segment = segmentOf(doc);
    if (row.doc !== null) changed.add(segment);
    const terms = found.get(segment) ?? new Map<string, number[]>();
    found.set(segment, terms);
    for (const term of row.terms) {
      const docs = terms.get(term);
      if (docs) docs.push(doc);
      else terms.set(term, [doc]);
    }
    const { oldest = timestamp, newest = timestamp } = times.get(segment) ?? {};
    times.set(segment, {
      oldest: Math.min(oldest, timestamp),
      newest: Math.max(newest, timestamp),
    });
  }
  const docColumns = { doc: 'bigint', channel_id: 'text', seq: 'bigint' } as const;
  await sql`insert into search_docs (doc, channel_id, seq)
    select doc, channel_id, seq from ${jsonList(dialect, docColumns, added)} as w`.execute(db);
  feed.part += 1;
  const postings = new Map(
    [...found].map(([segment, terms]) => [
      segment,
      new Map([...terms].map(([term, docs]) => [term, encodeDocs(docs.sort((a, b) => a - b))])),
    ]),
  );
  await insertPostings(db, dialect, postings, feed.part);
  const segmentColumns = { segment: 'bigint', oldest: 'bigint', newest: 'bigint' } as const;
  const segments = [...times].map(([segment, { oldest, newest }]) => [segment, oldest, newest]);
  await sql`insert into search_segments (segment, oldest_at, newest_at, work, work_after)
    select segment, oldest, newest, 0, ''
      from ${jsonList(dialect, segmentColumns, segments)} as w where true
    on conflict (segment) do update set
      oldest_at = case when excluded.oldest_at < search_segments.oldest_at
        then excluded.oldest_at else search_segments.oldest_at end,
      newest_at = case when excluded.newest_at > search_segments.newest_at
        then excluded.newest_at else search_segments.newest_at end`.execute(db);
  // A segment is swept when it is full, when an edit has added to it, or after many pieces.
  const open = openSegments(feed);
  for (const segment of new Set([...openBefore, ...changed])) {
    const hasManyParts = feed.part % partsMax === 0;
    if (!open.includes(segment) || hasManyParts) await queueSegment(db, segment);
  }
}

/**
 * If the index was behind, the next message may be older than a message in the open segment. In this case another
 * segment begins, so that a search for a time can skip whole segments.
 */
async function keepOrder(
  db: Kysely<Tables>,
  feed: Changing,
  rows: readonly SplitRow[],
): Promise<void> {
  const oldest = rows.find(({ doc, timestamp }) => doc === null && timestamp !== null);
  if (!oldest) return;
  const open = segmentOf(feed.next_doc);
  const known = await db
    .selectFrom('search_segments')
    .select('newest_at')
    .where('segment', '=', open)
    .executeTakeFirst();
  const newest = known === undefined ? null : idsFrom(known.newest_at - disorderMs);
  if (newest !== null && oldest.id < newest) feed.next_doc = (open + 1) * segmentDocs;
}

// An unreadable row must not stop the index for all others.
function messageIn({ id, envelope }: IndexedRow, report: ReportFault): Message | null {
  try {
    const event = eventOfRow(envelope);
    return 'message' in event ? event.message : null;
  } catch (error) {
    report(error, `indexing message ${id}`);
    return null;
  }
}

/** An id begins with its time; see new-id.ts. */
export const timeOf = (id: string) => id.slice(0, 13);

// Ids of one millisecond are in no order, but a channel's seqs are.
function byAge(a: SplitRow, b: SplitRow): number {
  const [one, other] = [timeOf(a.id), timeOf(b.id)];
  if (one !== other) return one < other ? -1 : 1;
  if (a.channel_id !== b.channel_id) return a.channel_id < b.channel_id ? -1 : 1;
  return a.seq - b.seq;
}

function openSegments({ next_doc, first_doc }: Feed): number[] {
  return [segmentOf(next_doc), segmentOf(first_doc - 1)];
}

function takeNumber(feed: Changing, place: 'newer' | 'older'): number {
  if (place === 'older') return (feed.first_doc -= 1);
  feed.next_doc += 1;
  return feed.next_doc - 1;
}

/** The signs `#` and `@` keep ids apart from words, which have only letters and digits. */
function termsOf({ state, content }: Message, { channel_id, sender_id }: IndexedRow): string[] {
  // A growing message's text is indexed at its end.
  const words = state === 'streaming' ? [] : new Set(searchWords(content));
  return [...words, `#${channel_id}`, `@${sender_id}`];
}

export async function queueSegment(db: Kysely<Tables>, segment: number): Promise<void> {
  await db
    .updateTable('search_segments')
    .set({ work: sql`case when work_after = '' then 1 else 2 end` })
    .where('segment', '=', segment)
    .execute();
}

import type { Message } from '@openclaw/protocol';
import { searchWords } from '@openclaw/protocol/wire';
import { sql, type Kysely, type Selectable } from 'kysely';
import { readChanges, type Changes } from '../changes.ts';
import type { CommitMark } from '../commit-mark.ts';
import type { Engine } from '../engine.ts';
import { headOf } from '../head.ts';
import { jsonList } from '../json-list.ts';
import { useKeys } from '../key-plans.ts';
import type { ReportFault } from '../run-group.ts';
import { eventOfRow } from '../stored-envelope.ts';
import type { Tables } from '../tables.ts';
import { encodeDocs, segmentOf } from './posting-list.ts';
import { insertPostings, removeDocs } from './postings.ts';
import type { SearchFeedTable } from './search-tables.ts';
import { createPauses } from './pauses.ts';
import { sweepSegment } from './sweep-segment.ts';

// The feed follows the log after its commits, so a send costs nothing for it. It walks the new rows of each channel's
// log, and indexes the present text of the messages that they name. A search compares each hit with the present text
// again, so a posting that is behind never shows a former text or a deleted message.

/** The most rows of logs that one piece reads, and the most bytes of messages, so that no commit waits long. */
const rowsMax = 512;
const bytesMax = 262_144;
/** The open segments are swept after so many pieces, because each piece adds a row for each word. */
const partsMax = 64;
/** Channels compared with the index by one piece, after a restore. */
const checkedMax = 200;

/** The result of one piece of work on the index. */
export interface SearchFed {
  /** True if new messages wait for the next piece. */
  readonly isBehind: boolean;
  /** True if there is any other work: older messages, or segments to sweep. */
  readonly isMore: boolean;
  /** True if another hub is doing a piece. */
  readonly isLocked: boolean;
}

interface Feeding extends Engine {
  readonly report: ReportFault;
}

const idle: SearchFed = { isBehind: false, isMore: false, isLocked: false };

type Feed = Selectable<SearchFeedTable>;
type Changing = { -readonly [K in keyof Feed]: Feed[K] };

/** A message as the index sees it. */
interface IndexedRow {
  readonly id: string;
  readonly channel_id: string;
  readonly seq: number;
  readonly sender_id: string;
  /** 1 if it is deleted, or its channel. */
  readonly gone: 0 | 1;
  readonly envelope: string;
  /** Null if the index does not have it yet. */
  readonly doc: number | null;
}

/**
 * Does one bounded piece of work on the index. Without work it costs three small statements and no transaction. Hubs take
 * turns by the lock of the feed's row; a hub that finds it locked does nothing.
 */
export async function feedSearch(engine: Engine, report: ReportFault): Promise<SearchFed> {
  const found = await findWork(engine);
  if (!found) return idle;
  return engine.write(async (db) => {
    await useKeys(db, engine.dialect);
    const within: Feeding = { ...engine, db, report };
    let query = db.selectFrom('search_feed').selectAll().where('name', '=', 'feed');
    if (engine.dialect === 'postgres') query = query.forUpdate().skipLocked();
    const feed: Changing | undefined = await query.executeTakeFirst();
    if (!feed) return { ...idle, isLocked: true };
    // Another hub may have done the piece meanwhile.
    const isSame = feed.mark === found.mark;
    const changes = isSame ? found.changes : await readChanges(within, markOf(feed));
    const isBehind = await feedNew(within, feed, changes);
    let isMore = false;
    if (!isBehind) {
      const isChecking = await checkSome(within, feed);
      isMore = isChecking || (await backfillSome(within, feed));
      // One of the two in a piece, so that no commit waits for both.
      const isTurnOfSweep = !isMore || feed.part % 2 === 0;
      if (isTurnOfSweep) isMore = (await sweepSegment(engine, db)) || isMore;
    }
    await db.updateTable('search_feed').set(feed).where('name', '=', 'feed').execute();
    return { ...idle, isBehind, isMore };
  });
}

/**
 * Locks the feed until the end of the transaction, so that no hub indexes a message which the transaction removes.
 * Waits for one piece of the feed at most.
 */
export async function lockFeed({ dialect }: Engine, db: Kysely<Tables>): Promise<void> {
  if (dialect === 'sqlite') return;
  await db
    .selectFrom('search_feed')
    .select('name')
    .where('name', '=', 'feed')
    .forUpdate()
    .execute();
}

/** True if postings may still hold words of messages that are gone. */
export async function isSweepingSegments({ db }: Engine): Promise<boolean> {
  const found = await db
    .selectFrom('search_segments')
    .select('segment')
    .where('work', '>', sql.lit(0))
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** The commits since the feed's mark, or null if there is nothing to do. */
async function findWork(engine: Engine): Promise<{ mark: string; changes: Changes } | null> {
  const feed = await engine.db
    .selectFrom('search_feed')
    .selectAll()
    .select(
      sql<number>`(select count(*) from (
      select 1 from search_segments where work > 0 limit 1) as w)`.as('segments'),
    )
    .executeTakeFirstOrThrow();
  const changes = await readChanges(engine, markOf(feed));
  const isOther = feed.segments > 0 || feed.check_after !== null || feed.backfill_before !== null;
  const isNew = changes.epoch !== feed.epoch || changes.heads.length > 0;
  return isOther || isNew ? { mark: feed.mark, changes } : null;
}

const markOf = ({ mark }: Pick<Feed, 'mark'>) => JSON.parse(mark) as CommitMark;

/** Indexes the commits after the mark. Returns whether there are more. */
async function feedNew(engine: Feeding, feed: Changing, changes: Changes): Promise<boolean> {
  if (changes.epoch !== feed.epoch) {
    // A new index, or a restored backup: the mark is of another server, so all heads are compared with the index.
    const { mark, epoch } = await readChanges(engine, null);
    Object.assign(feed, { epoch, mark: JSON.stringify(mark), check_after: '' });
    return false;
  }
  const isDone = await feedChannels(engine, feed, changes.heads);
  if (isDone) feed.mark = JSON.stringify(changes.mark);
  return !isDone || changes.hasMore;
}

/** Compares the heads of the next channels with the index. Returns whether there are more. */
async function checkSome(engine: Feeding, feed: Changing): Promise<boolean> {
  if (feed.check_after === null) return false;
  const channels = await engine.db
    .selectFrom('channels')
    .select(['id as channelId', headOf('channels.id').as('head')])
    .where('id', '>', feed.check_after)
    .orderBy('id')
    .limit(checkedMax)
    .execute();
  if (!(await feedChannels(engine, feed, channels))) return true;
  feed.check_after = channels.length < checkedMax ? null : (channels.at(-1)?.channelId ?? null);
  return feed.check_after !== null;
}

interface Range {
  readonly channelId: string;
  readonly after: number;
  /** The last seq that the piece indexes. */
  to: number;
}

/** Indexes the logs up to these heads, as far as one piece may. Returns whether all are indexed. */
async function feedChannels(
  engine: Feeding,
  feed: Changing,
  heads: readonly { readonly channelId: string; readonly head: number }[],
): Promise<boolean> {
  if (heads.length === 0) return true;
  const { db, dialect } = engine;
  const { ranges, isAll } = await rangesOf(engine, heads);
  if (ranges.length === 0) return true;
  const rows = await messagesIn(engine, ranges);
  const over = rows.findIndex(({ bytes, total }) => total > bytesMax && total > bytes);
  const cut = rows[over];
  const lastRange = cut && ranges.find(({ channelId }) => channelId === cut.channel_id);
  if (cut && lastRange) lastRange.to = cut.logSeq - 1;
  const kept = lastRange ? ranges.slice(0, ranges.indexOf(lastRange) + 1) : ranges;
  const fitting = cut ? rows.slice(0, over) : rows;
  await indexMessages(
    engine,
    feed,
    [...new Map(fitting.map((row) => [row.id, row])).values()],
    'newer',
  );
  const fed = kept.map(({ channelId, to }) => [channelId, to] as const);
  await sql`insert into search_fed (channel_id, seq)
    select channel_id, seq from ${jsonList(dialect, { channel_id: 'text', seq: 'bigint' }, fed)} as w
    where true
    on conflict (channel_id) do update set seq = excluded.seq`.execute(db);
  return isAll && !cut;
}

interface LoggedMessage extends IndexedRow {
  readonly logSeq: number;
  readonly bytes: number;
  /** The bytes of this row and of those before it. */
  readonly total: number;
}

/** The messages that these parts of the logs name, in the order of the logs. Rows beyond `bytesMax` come without text. */
async function messagesIn(
  { db, dialect }: Engine,
  ranges: readonly Range[],
): Promise<readonly LoggedMessage[]> {
  const list = jsonList(
    dialect,
    { channel_id: 'text', after: 'bigint', up_to: 'bigint' },
    ranges.map(({ channelId, after, to }) => [channelId, after, to]),
  );
  const join = joined(dialect);
  const { rows } = await sql<LoggedMessage>`
    with logged as (
      select l.seq as log_seq, m.id, m.channel_id, m.seq, m.sender_id, m.text_seq,
        case when m.deleted_at is null and c.deleted_at is null then 0 else 1 end as gone,
        (select d.doc from search_docs d where d.channel_id = m.channel_id and d.seq = m.seq)
          as doc,
        coalesce((select octet_length(t.envelope) from log t
          where t.channel_id = m.channel_id and t.seq = m.text_seq), 0) as bytes
      from ${list} as w
      ${join} channels c on c.id = w.channel_id
      ${join} log l on l.channel_id = w.channel_id and l.seq > w.after and l.seq <= w.up_to
      ${join} messages m on m.id = l.message_id
      where l.type in ('channel.message', 'thread.message', 'channel.message.edit',
        'channel.message.delete')
    ), summed as (
      select logged.*, cast(sum(bytes) over (order by channel_id, log_seq rows unbounded preceding)
        as bigint) as total
      from logged
    )
    select log_seq as "logSeq", id, channel_id, seq, sender_id, gone, doc, bytes, total,
      case when total <= ${sql.lit(bytesMax)} or total = bytes then (
        select t.envelope from log t where t.channel_id = s.channel_id and t.seq = s.text_seq)
      end as envelope
    from summed s order by channel_id, log_seq`.execute(db);
  return rows;
}

// SQLite keeps the order of a cross join, so that it reads the list first and uses the keys of the other tables.
const joined = (dialect: Engine['dialect']) =>
  sql.raw(dialect === 'sqlite' ? 'cross join' : 'join');

/** The parts of the logs that one piece reads: seqs have no holes, so they count the rows. */
async function rangesOf(
  { db, dialect }: Engine,
  heads: readonly { readonly channelId: string; readonly head: number }[],
): Promise<{ ranges: Range[]; isAll: boolean }> {
  const list = jsonList(
    dialect,
    { channel_id: 'text', head: 'bigint' },
    heads.map(({ channelId, head }) => [channelId, head]),
  );
  const { rows } = await sql<{ channelId: string; head: number; after: number }>`
    select w.channel_id as "channelId", w.head,
      case when coalesce(f.floor, 1) - 1 > coalesce(s.seq, 0) then f.floor - 1
        else coalesce(s.seq, 0) end as after
    from ${list} as w
    left join search_fed s on s.channel_id = w.channel_id
    left join log_floors f on f.channel_id = w.channel_id
    order by 1`.execute(db);
  const ranges: Range[] = [];
  let left = rowsMax;
  for (const { channelId, head, after } of rows) {
    if (head <= after) continue;
    if (left <= 0) return { ranges, isAll: false };
    const to = Math.min(head, after + left);
    ranges.push({ channelId, after, to });
    left -= to - after;
    if (to < head) return { ranges, isAll: false };
  }
  return { ranges, isAll: true };
}

/** Indexes some of the messages from before the index, newest first. Returns whether there are more. */
async function backfillSome(engine: Feeding, feed: Changing): Promise<boolean> {
  if (feed.backfill_before === null) return false;
  const { rows } = await sql<{ id: string; bytes: number; wanted: number }>`
    select m.id,
      coalesce((select octet_length(l.envelope) from log l
        where l.channel_id = m.channel_id and l.seq = m.text_seq), 0) as bytes,
      case when m.deleted_at is null
        and m.seq <= (select s.seq from search_fed s where s.channel_id = m.channel_id)
        and (select d.doc from search_docs d
          where d.channel_id = m.channel_id and d.seq = m.seq) is null
        then 1 else 0 end as wanted
    from messages m
    where m.id < ${feed.backfill_before}
    order by m.id desc limit ${sql.lit(rowsMax)}`.execute(engine.db);
  let bytes = 0;
  const tooMany = rows.findIndex((row) => (bytes += row.wanted * row.bytes) > bytesMax);
  const fitting = tooMany < 0 ? rows : rows.slice(0, Math.max(1, tooMany));
  const isLast = tooMany < 0 && rows.length < rowsMax;
  // A piece ends between two milliseconds, because ids of the same millisecond are in no order. It ends within one only
  // if it holds no other.
  const lastTime = timeOf(fitting.at(-1)?.id ?? '');
  const whole = isLast ? fitting : fitting.filter(({ id }) => timeOf(id) !== lastTime);
  const taken = whole.length > 0 ? whole : fitting;
  const ids = taken.filter(({ wanted }) => wanted === 1).map(({ id }) => id);
  await indexMessages(engine, feed, await messagesById(engine.db, ids), 'older');
  feed.backfill_before = isLast ? null : (taken.at(-1)?.id ?? null);
  // The last segment is not filled any more.
  if (isLast) await queueSegment(engine.db, segmentOf(feed.first_doc));
  return !isLast;
}

/** Brings the index of these messages to their present text. */
async function indexMessages(
  engine: Feeding,
  feed: Changing,
  rows: IndexedRow[],
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
  const pauses = createPauses();
  rows.sort(place === 'newer' ? byAge : (a, b) => byAge(b, a));
  for (const row of rows) {
    if (row.gone === 1) continue;
    const message = messageIn(row, engine.report);
    if (!message) continue;
    const doc = row.doc ?? takeNumber(feed, place);
    if (row.doc === null) added.push([doc, row.channel_id, row.seq]);
    const segment = segmentOf(doc);
    if (row.doc !== null) changed.add(segment);
    await pauses.after(row.envelope.length);
    const { content, timestamp } = message;
    const terms = found.get(segment) ?? new Map<string, number[]>();
    found.set(segment, terms);
    for (const term of termsOf(content, row.channel_id, row.sender_id)) {
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
  // A segment that is not filled any more, or that an edit added to, is swept.
  const open = openSegments(feed);
  for (const segment of new Set([...openBefore, ...changed])) {
    const hasManyParts = feed.part % partsMax === 0;
    if (!open.includes(segment) || hasManyParts) await queueSegment(db, segment);
  }
}

// A row that cannot be read must not stop the index for all others.
function messageIn({ id, envelope }: IndexedRow, report: ReportFault): Message | null {
  try {
    const event = eventOfRow(envelope);
    return 'message' in event ? event.message : null;
  } catch (error) {
    report(error, `indexing message ${id}`);
    return null;
  }
}

/** The time at the beginning of an id; see new-id.ts. */
const timeOf = (id: string) => id.slice(0, 13);

// The ids of one millisecond are in no order, but the seqs of one channel are.
function byAge(a: IndexedRow, b: IndexedRow): number {
  const [one, other] = [timeOf(a.id), timeOf(b.id)];
  if (one !== other) return one < other ? -1 : 1;
  if (a.channel_id !== b.channel_id) return a.channel_id < b.channel_id ? -1 : 1;
  return a.seq - b.seq;
}

/** The segments in which the next documents get their numbers. */
function openSegments({ next_doc, first_doc }: Feed): number[] {
  return [segmentOf(next_doc), segmentOf(first_doc - 1)];
}

function takeNumber(feed: Changing, place: 'newer' | 'older'): number {
  if (place === 'older') return (feed.first_doc -= 1);
  feed.next_doc += 1;
  return feed.next_doc - 1;
}

/** The terms of a message, each once. Words have only letters and digits, so the signs keep ids apart from them. */
function termsOf(content: string, channelId: string, senderId: string): Set<string> {
  return new Set([...searchWords(content), `#${channelId}`, `@${senderId}`]);
}

async function messagesById(db: Kysely<Tables>, ids: readonly string[]): Promise<IndexedRow[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<IndexedRow>`select m.id, m.channel_id, m.seq, m.sender_id,
      case when m.deleted_at is null and c.deleted_at is null then 0 else 1 end as gone,
      (select l.envelope from log l where l.channel_id = m.channel_id and l.seq = m.text_seq)
        as envelope,
      (select d.doc from search_docs d where d.channel_id = m.channel_id and d.seq = m.seq) as doc
    from messages m join channels c on c.id = m.channel_id
    where m.id in (${sql.join([...ids])})`.execute(db);
  return rows;
}

async function queueSegment(db: Kysely<Tables>, segment: number): Promise<void> {
  await db
    .updateTable('search_segments')
    .set({ work: sql`case when work_after = '' then 1 else 2 end` })
    .where('segment', '=', segment)
    .execute();
}

import { sql, type Kysely } from 'kysely';
import { readHeads } from '../access.ts';
import { readChanges, type Changes } from '../changes.ts';
import type { CommitMark } from '../commit-mark.ts';
import type { Engine } from '../engine.ts';
import { headOf } from '../head.ts';
import { jsonList } from '../json-list.ts';
import { useKeys } from '../key-plans.ts';
import type { ReportFault } from '../run-group.ts';
import type { Tables } from '../tables.ts';
import {
  indexMessages,
  queueSegment,
  splitTexts,
  timeOf,
  type Changing,
} from './index-messages.ts';
import { segmentOf } from './posting-list.ts';
import { sweepSegment } from './sweep-segment.ts';
import { bytesMax, messagesById, messagesIn, rangesOf, rowsMax } from './unindexed.ts';

// The feed reads the log's new rows after their commits, so that sends do not become slower. It indexes the present
// text of the messages that these rows name.

/** The most postings that one piece of new messages adds, unless one message adds more. */
const termsMax = 10_000;
/**
 * While new messages wait, every fourth piece also sweeps. Otherwise the words of deleted messages would stay in the
 * index during a flood of messages.
 */
const sweepEvery = 4;
/** The mark stops while more than this many channels are behind. */
const behindMax = 1_000;
/** The most channels that one piece compares with the index after a restore. */
const checkedMax = 200;

export interface SearchFed {
  /** True when new messages wait for the next piece. */
  readonly isBehind: boolean;
  /** True when there is other work: older messages to index, or segments to sweep. */
  readonly isMore: boolean;
  readonly isLocked: boolean;
}

interface Feeding extends Engine {
  readonly report: ReportFault;
}

const idle: SearchFed = { isBehind: false, isMore: false, isLocked: false };

/** The index has all commits before the mark, except in the channels that are behind. */
interface Position extends CommitMark {
  readonly behind?: readonly string[];
}

/**
 * Does one bounded piece of the work on the index. Without work, costs three small statements and no transaction. A hub
 * locks the feed's row for the piece. If another hub has locked the row, does nothing.
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
    // Another hub may have done the piece in the meantime.
    const isSame = feed.mark === found.mark;
    const changes = isSame ? found.changes : await readChanges(within, positionOf(feed));
    const isBehind = await feedNew(within, feed, changes);
    let isMore = false;
    if (!isBehind) {
      const isChecking = await checkSome(within, feed);
      isMore = isChecking || (await backfillSome(within, feed));
    }
    // Most pieces that index do not sweep too, so that commits seldom wait for both.
    const isTurnOfSweep = isBehind ? feed.part % sweepEvery === 0 : !isMore || feed.part % 2 === 0;
    if (isTurnOfSweep) isMore = (await sweepSegment(engine, db)) || isMore;
    await db.updateTable('search_feed').set(feed).where('name', '=', 'feed').execute();
    return { ...idle, isBehind, isMore };
  });
}

/**
 * Until the transaction ends, no hub indexes a message that the transaction removes. Waits for at most one piece of the
 * feed.
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

/** True while postings may hold words of messages that are gone. */
export async function isSweepingSegments({ db }: Engine): Promise<boolean> {
  const found = await db
    .selectFrom('search_segments')
    .select('segment')
    .where('work', '>', sql.lit(0))
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

async function findWork(engine: Engine): Promise<{ mark: string; changes: Changes } | null> {
  const feed = await engine.db
    .selectFrom('search_feed')
    .selectAll()
    .select(
      sql<number>`(select count(*) from (
      select 1 from search_segments where work > 0 limit 1) as w)`.as('segments'),
    )
    .executeTakeFirstOrThrow();
  const position = positionOf(feed);
  const changes = await readChanges(engine, position);
  const isOther = feed.segments > 0 || feed.check_after !== null || feed.backfill_before !== null;
  const isBehind = changes.heads.length > 0 || (position.behind?.length ?? 0) > 0;
  const isNew = changes.epoch !== feed.epoch || isBehind;
  return isOther || isNew ? { mark: feed.mark, changes } : null;
}

const positionOf = ({ mark }: Pick<Changing, 'mark'>) => JSON.parse(mark) as Position;

/** Returns whether more new messages wait. */
async function feedNew(engine: Feeding, feed: Changing, changes: Changes): Promise<boolean> {
  if (changes.epoch !== feed.epoch) {
    // A new index has no mark, and in a restored backup the mark is of another server. So all heads are compared with
    // the index.
    const { mark, epoch } = await readChanges(engine, null);
    Object.assign(feed, { epoch, mark: JSON.stringify(mark), check_after: '' });
    return false;
  }
  const heads = new Map(changes.heads.map(({ channelId, head }) => [channelId, head]));
  const { behind = [] } = positionOf(feed);
  const others = behind.filter((channelId) => !heads.has(channelId));
  for (const [channelId, head] of await readHeads(engine, others)) heads.set(channelId, head);
  const left = await feedChannels(
    engine,
    feed,
    [...heads].map(([channelId, head]) => ({ channelId, head })),
  );
  // The mark moves past a channel in which messages come faster than they are indexed. Otherwise the channel would
  // delay all others.
  if (left.length <= behindMax) {
    const position: Position = { ...changes.mark, ...(left.length > 0 && { behind: left }) };
    feed.mark = JSON.stringify(position);
  }
  return left.length > 0 || changes.hasMore;
}

/** Compares the heads of the next channels with the index. Returns whether more channels are left. */
async function checkSome(engine: Feeding, feed: Changing): Promise<boolean> {
  if (feed.check_after === null) return false;
  const channels = await engine.db
    .selectFrom('channels')
    .select(['id as channelId', headOf('channels.id').as('head')])
    .where('id', '>', feed.check_after)
    .orderBy('id')
    .limit(checkedMax)
    .execute();
  if ((await feedChannels(engine, feed, channels)).length > 0) return true;
  feed.check_after = channels.length < checkedMax ? null : (channels.at(-1)?.channelId ?? null);
  return feed.check_after !== null;
}

/** Indexes logs up to these heads, as far as one piece may. Returns the channels that are still behind. */
async function feedChannels(
  engine: Feeding,
  feed: Changing,
  heads: readonly { readonly channelId: string; readonly head: number }[],
): Promise<string[]> {
  if (heads.length === 0) return [];
  const { db, dialect } = engine;
  const { ranges, leftOut } = await rangesOf(engine, heads);
  if (ranges.length === 0) return [];
  const rows = await messagesIn(engine, ranges);
  const over = rows.findIndex(({ bytes, total }) => total > bytesMax && total > bytes);
  const fitting = await splitTexts(over < 0 ? rows : rows.slice(0, over), engine.report, termsMax);
  const byChannel = new Map(ranges.map((range) => [range.channelId, range]));
  for (const { channel_id, logSeq } of rows.slice(fitting.length)) {
    const range = byChannel.get(channel_id);
    if (range) range.to = Math.min(range.to, logSeq - 1);
  }
  await indexMessages(
    engine,
    feed,
    [...new Map(fitting.map((row) => [row.id, row])).values()],
    'newer',
  );
  const fed = ranges.map(({ channelId, to }) => [channelId, to] as const);
  await sql`insert into search_fed (channel_id, seq)
    select channel_id, seq from ${jsonList(dialect, { channel_id: 'text', seq: 'bigint' }, fed)} as w
    where true
    on conflict (channel_id) do update set seq = excluded.seq`.execute(db);
  const left = ranges.filter(({ to, head }) => to < head);
  return [...left.map(({ channelId }) => channelId), ...leftOut];
}

/** Indexes messages that are older than the index, newest first. Returns whether more are left. */
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
  // Ids of one millisecond are in no order, so a piece ends between two milliseconds if it can.
  const lastTime = timeOf(fitting.at(-1)?.id ?? '');
  const whole = isLast ? fitting : fitting.filter(({ id }) => timeOf(id) !== lastTime);
  const taken = whole.length > 0 ? whole : fitting;
  const ids = taken.filter(({ wanted }) => wanted === 1).map(({ id }) => id);
  const texts = await splitTexts(await messagesById(engine.db, ids), engine.report);
  await indexMessages(engine, feed, texts, 'older');
  feed.backfill_before = isLast ? null : (taken.at(-1)?.id ?? null);
  // The segment of the oldest messages gets no more documents, so it is swept although it is not full.
  if (isLast) await queueSegment(engine.db, segmentOf(feed.first_doc));
  return !isLast;
}

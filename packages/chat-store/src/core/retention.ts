import { sql, type Kysely } from 'kysely';
import { removeAsks } from './asks.ts';
import { endOpenBefore } from './due.ts';
import type { Engine } from './engine.ts';
import { floorOf } from './head.ts';
import { skipHeld } from './inbox-places.ts';
import { lockFeed } from './search/feed.ts';
import { sweepSegmentsOf } from './search/postings.ts';
import { removeQuestions } from './questions.ts';
import { hourMs, removeFromLedger } from './ledger.ts';
import { encodeForLog } from './stored-envelope.ts';
import type { ChannelsTable, Tables } from './tables.ts';

// Logs are trimmed at their oldest end only, so seqs have no holes. The last row is never removed, because it holds the
// head and the mark of the last commit. When the last row is old enough, its content is removed and the floor is set
// above it.

/** The hub and the channel may each have a limit, and the stricter one applies. Null means no limit. */
export interface Retention {
  readonly retentionMs: number | null;
  /** This many newest messages stay. Older messages are trimmed, with the events between them. */
  readonly maxMessages: number | null;
}

export const noRetention: Retention = { retentionMs: null, maxMessages: null };

/** The most channels that one piece checks. Each costs five index look-ups. */
const channelsMax = 200;
/** The most rows that one piece deletes, so that no send waits long. A single message may have more. */
const rowsMax = 500;
/** The most bytes of events that one piece deletes, unless one event has more. */
const bytesMax = 1_048_576;
const lockWaitMs = 100;
const passEveryMs = 60_000;

export interface Swept {
  readonly isMore: boolean;
  readonly trimmedEvents: number;
  /** True when the last pass over all channels has ended and the next pass is not due. */
  readonly isPassDone: boolean;
}

interface Candidate extends Pick<ChannelsTable, 'id' | 'retention_ms' | 'max_messages'> {
  readonly floor: number;
  /** The time of the oldest event; null when all are trimmed. */
  readonly oldest: number | null;
  /** Ordinals of the oldest and newest message; null for none. */
  readonly first: number | null;
  readonly last: number | null;
  /** The oldest hour of the channel's ledger; null for none. */
  readonly ledger_from: number | null;
}

interface Excess {
  readonly channelId: string;
  readonly floor: number;
  readonly before: number;
  readonly messages: number;
}

/**
 * Trims some rows of one channel, or finds that the next channels need no trimming. All hubs share one pass, on which
 * one hub works at a time.
 */
export function sweepRetention(
  engine: Engine,
  retention: Retention,
  everyMs = passEveryMs,
): Promise<Swept> {
  return engine.write(async (db) => {
    let query = db
      .selectFrom('sweeps')
      .select(['after_id', 'due_at', engine.sql.now().as('now')])
      .where('name', '=', 'retention');
    if (engine.dialect === 'postgres') query = query.forUpdate().skipLocked();
    const sweep = await query.executeTakeFirst();
    // The row is not found while another hub has locked it for a sweep.
    if (!sweep) return { isMore: false, trimmedEvents: 0, isPassDone: false };
    if (sweep.due_at > sweep.now) return { isMore: false, trimmedEvents: 0, isPassDone: true };
    const channels = await nextChannels(db, sweep.after_id, retention);
    let mayWait = true;
    for (const [index, channel] of channels.entries()) {
      const excess = excessOf(channel, retention, sweep.now);
      if (!excess) continue;
      await lockFeed(engine, db);
      // If the channel stays locked, the next pass tries it again.
      if (engine.dialect === 'postgres' && !(await lockChannel(db, channel.id, mayWait))) {
        mayWait = false;
        continue;
      }
      const { isDone, trimmedEvents } = await trimSome(engine, db, excess);
      const before = channels[index - 1]?.id ?? sweep.after_id;
      await continueAfter(db, isDone ? channel.id : before);
      return { isMore: true, trimmedEvents, isPassDone: false };
    }
    const last = channels.length === channelsMax ? channels.at(-1)?.id : undefined;
    if (last !== undefined) await continueAfter(db, last);
    else await continueAfter(db, '', sweep.now + everyMs);
    const isMore = last !== undefined;
    return { isMore, trimmedEvents: 0, isPassDone: !isMore };
  });
}

async function continueAfter(db: Kysely<Tables>, after_id: string, due_at = 0): Promise<void> {
  await db
    .updateTable('sweeps')
    .set({ after_id, due_at })
    .where('name', '=', 'retention')
    .execute();
}

async function nextChannels(
  db: Kysely<Tables>,
  after: string,
  { retentionMs, maxMessages }: Retention,
): Promise<Candidate[]> {
  // This is a literal, so that the planner can use the index of channels with a retention.
  const withOwn = sql`and (c.retention_ms is not null or c.max_messages is not null)`;
  const ordinal = (order: 'asc' | 'desc') => sql`(select m.ordinal from messages m
    where m.channel_id = c.id and m.seq >= c.floor order by m.seq ${sql.raw(order)} limit 1)`;
  // In the sub-selects from log and messages, `seq >= c.floor` avoids a scan of the index entries of trimmed rows; see
  // `trimSome`.
  const { rows } = await sql<Candidate>`
    select c.id, c.retention_ms, c.max_messages, c.floor,
      (select l.timestamp from log l where l.channel_id = c.id and l.seq >= c.floor
        order by l.seq limit 1) as oldest,
      ${ordinal('asc')} as first, ${ordinal('desc')} as last,
      (select min(g.hour) from ledger g where g.channel_id = c.id) as ledger_from
    from (
      select c.id, c.retention_ms, c.max_messages, ${floorOf({ column: 'c.id' })} as floor
      from channels c
      where c.id > ${after} and c.deleted_at is null
        ${retentionMs === null && maxMessages === null ? withOwn : sql``}
      order by c.id limit ${sql.lit(channelsMax)}) as c
    order by c.id`.execute(db);
  return rows;
}

function excessOf(channel: Candidate, retention: Retention, nowMs: number): Excess | null {
  const { id, floor, oldest, first, last, ledger_from } = channel;
  const retentionMs = stricter(channel.retention_ms, retention.retentionMs);
  const maxMessages = stricter(channel.max_messages, retention.maxMessages);
  const before = nowMs - retentionMs;
  const count = first === null || last === null ? 0 : last - first + 1;
  const messages = Math.max(0, count - maxMessages);
  const isLedgerOld = ledger_from !== null && ledger_from + hourMs <= before;
  const isOld = (oldest !== null && oldest < before) || isLedgerOld;
  return isOld || messages > 0 ? { channelId: id, floor, before, messages } : null;
}

const stricter = (one: number | null, other: number | null) =>
  Math.min(one ?? Infinity, other ?? Infinity);

/**
 * The lock keeps others from replying or reacting to a message that is trimmed. Returns false if the lock is not free:
 * at once if `mayWait` is false, otherwise after {@link lockWaitMs}. While a sweep waits, it has a place in the lock's
 * queue, so it gets the lock even of a busy channel.
 */
export async function lockChannel(
  db: Kysely<Tables>,
  id: string,
  mayWait: boolean,
): Promise<boolean> {
  const channel = db.selectFrom('channels').select('id').where('id', '=', id).forUpdate();
  if (await channel.skipLocked().executeTakeFirst()) return true;
  if (!mayWait) return false;
  const { rows } = await sql<{ before: string }>`
    select current_setting('lock_timeout') as before`.execute(db);
  await sql`savepoint before_lock`.execute(db);
  try {
    await sql`set local lock_timeout = ${sql.lit(lockWaitMs)}`.execute(db);
    await channel.execute();
    await sql`select set_config('lock_timeout', ${rows[0]?.before}, true)`.execute(db);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== lockNotAvailable) throw error;
    // The rollback also restores the timeout.
    await sql`rollback to savepoint before_lock`.execute(db);
    return false;
  }
}

const lockNotAvailable = '55P03';

/** Trims within the limits of one piece. `isDone` is true when nothing is left to trim. */
async function trimSome(
  engine: Engine,
  db: Kysely<Tables>,
  excess: Excess,
): Promise<{ readonly isDone: boolean; readonly trimmedEvents: number }> {
  const { channelId, floor, before } = excess;
  // A sum is removed from the ledger only because of its age. It outlives messages that are deleted, or that are
  // trimmed because of their number.
  const isLedgerDone = before === -Infinity || !(await removeFromLedger(db, channelId, before));
  const found = await endBeforeStreams(db, excess, await findEnd(db, excess));
  // Open asks and questions must expire first. The next pass trims them.
  const openFrom = await endOpenBefore(db, channelId, found.end);
  const end = Math.max(floor, Math.min(found.end, openFrom));
  const isAll = found.isAll || openFrom < found.end;
  if (end === floor) return { isDone: isLedgerDone, trimmedEvents: 0 };
  const { head } = await db
    .selectFrom('log')
    .select((eb) => eb.fn.max('seq').as('head'))
    .where('channel_id', '=', channelId)
    .executeTakeFirstOrThrow();
  // The lower bound keeps PostgreSQL from scanning index entries of recently deleted rows.
  const trimmed = sql`channel_id = ${channelId} and seq >= ${floor} and seq < ${end}`;
  const ids = sql`(select id from messages where ${trimmed})`;
  await sql`delete from reactions where message_id in ${ids}`.execute(db);
  await sql`delete from threads where channel_id = ${channelId} and thread_id in ${ids}`.execute(
    db,
  );
  await sql`delete from thread_budgets where channel_id = ${channelId} and thread_id in ${ids}`.execute(
    db,
  );
  await removeAsks(db, sql`(select id from asks where channel_id = ${channelId} and seq < ${end})`);
  await removeQuestions(
    db,
    sql`(select id from questions where channel_id = ${channelId} and seq < ${end})`,
  );
  await sql`delete from claims where channel_id = ${channelId} and thread_id in ${ids}`.execute(db);
  await sql`delete from mentions where ${trimmed}`.execute(db);
  await sql`delete from inbox where id in (select id from inbox where channel_id = ${channelId}
    and message_seq >= ${floor} and message_seq < ${end} ${skipHeld(engine.dialect)})`.execute(db);
  await sweepSegmentsOf(db, trimmed);
  await sql`delete from search_docs where ${trimmed}`.execute(db);
  await sql`delete from messages where ${trimmed}`.execute(db);
  // A log that was once trimmed completely has an emptied row at floor − 1.
  await sql`delete from log where channel_id = ${channelId} and seq >= ${floor - 1}
    and seq < ${Math.min(end, head)}`.execute(db);
  if (end > head) await emptyLastRow(db, channelId, head);
  await db
    .insertInto('log_floors')
    .values({ channel_id: channelId, floor: end, rewrites: 0 })
    .onConflict((conflict) => conflict.column('channel_id').doUpdateSet({ floor: end }))
    .execute();
  // Seqs have no holes, so their difference counts events.
  return { isDone: isAll && isLedgerDone, trimmedEvents: end - floor };
}

/**
 * Ends the trim before the first growing message. Old growing messages become due: the sweep of streams interrupts
 * them, and a later pass of this sweep trims them.
 */
async function endBeforeStreams(
  db: Kysely<Tables>,
  { channelId, floor }: Excess,
  found: { readonly end: number; readonly isAll: boolean },
): Promise<{ end: number; isAll: boolean }> {
  if (found.end === floor) return found;
  const range = sql<boolean>`channel_id = ${channelId} and seq >= ${floor} and seq < ${found.end}`;
  const first = await db
    .selectFrom('streams')
    .select((eb) => eb.fn.min('seq').as('seq'))
    .where(range)
    .executeTakeFirst();
  if (!first?.seq) return found;
  await db.updateTable('streams').set({ due: 1 }).where(range).execute();
  return { end: first.seq, isAll: true };
}

/** Returns the new floor, and whether nothing is left to trim above it. */
async function findEnd(
  db: Kysely<Tables>,
  excess: Excess,
): Promise<{ end: number; isAll: boolean }> {
  const { channelId, floor, before, messages } = excess;
  let keptFrom = 0;
  if (messages > 0) {
    const kept = await db
      .selectFrom('messages')
      .select('seq')
      .where('channel_id', '=', channelId)
      .where('seq', '>=', floor)
      .orderBy('seq')
      .offset(Math.min(messages, rowsMax))
      .limit(1)
      .executeTakeFirst();
    keptFrom = kept?.seq ?? 0;
  }
  const { rows } = await sql<{ seq: number; timestamp: number; bytes: number; attached: number }>`
    select l.seq, l.timestamp, octet_length(l.envelope) as bytes,
      (select count(*) from reactions r where r.message_id = m.id)
        + (select count(*) from mentions n where n.channel_id = m.channel_id and n.seq = m.seq)
        as attached
    from log l left join messages m on m.channel_id = l.channel_id and m.seq = l.seq
    where l.channel_id = ${channelId} and l.seq >= ${floor}
    order by l.seq limit ${sql.lit(rowsMax)}`.execute(db);
  let end = floor;
  let count = 0;
  let bytes = 0;
  for (const row of rows) {
    if (row.timestamp >= before && row.seq >= keptFrom) return { end, isAll: messages <= rowsMax };
    count += 1 + row.attached;
    bytes += row.bytes;
    if ((count > rowsMax || bytes > bytesMax) && end > floor) return { end, isAll: false };
    end = row.seq + 1;
  }
  return { end, isAll: rows.length < rowsMax };
}

// The row keeps its mark. It also keeps its id, by which hubs recognize the event. Earlier releases read the row as an
// event without content.
async function emptyLastRow(db: Kysely<Tables>, channelId: string, seq: number): Promise<void> {
  const { id, timestamp } = await db
    .selectFrom('log')
    .select(['id', 'timestamp'])
    .where((eb) => eb.and({ channel_id: channelId, seq }))
    .executeTakeFirstOrThrow();
  const { stored } = encodeForLog({
    id,
    event: { type: 'collaboration.event', channelId, name: 'log.trimmed', payload: {} },
    timestamp,
    senderId: 'hub',
    senderKind: 'hub',
    channelId,
    seq,
    epoch: '',
  });
  const emptied = { message_id: null, client_message_id: null, fingerprint: null };
  await db
    .updateTable('log')
    .set({ type: 'collaboration.event', sender_id: 'hub', envelope: stored, ...emptied })
    .where((eb) => eb.and({ channel_id: channelId, seq }))
    .execute();
}

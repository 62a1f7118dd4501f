import type { InboxItem, InboxPlace, Message, ParamsOf, ResultOf } from '@openclaw/protocol';
import { decodeInboxCursor, encodeInboxCursor, limits } from '@openclaw/protocol/wire';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { refuse, type Actor } from '../../commands.ts';
import type { Engine } from '../engine.ts';
import { inboxScope, isCovered, isItemOfMember } from '../inbox-places.ts';
import type { InboxTable } from '../tables.ts';
import { messageTextsOf, selectMessages, type MessageRow } from '../message-projection.ts';
import type { Dialect } from '../engine.ts';
import { createPauses } from '../search/pauses.ts';
import { eventOfRow } from '../stored-envelope.ts';
import type { Tables } from '../tables.ts';
import { createPageText, resultText, stepsOf, type RowText } from './page-text.ts';
import type { Read } from './reading.ts';

/** `omitted` names at most this many channels: those with the most items. */
const channelsMax = 200;
/**
 * The most bytes of one channel in `omitted`: an id of 128 characters, the number of items, and the JSON around them.
 */
const countBytes = 192;
/** The most messages that one statement reads. */
const stepMessages = 32;

type Params = ParamsOf<'inbox.read'>;
type Omitted = ResultOf<'inbox.read'>['omitted'];

/** An item of the inbox. If `omitted` is not null, the row is instead a channel with that number of items. */
interface Row extends Omit<InboxTable, 'id' | 'agent_id'> {
  readonly id: number;
  /** 1 for a message that mentions everyone but does not name the reader. */
  readonly of_all: number;
  readonly omitted: number | null;
  readonly type: string;
  readonly sender_id: string;
  readonly timestamp: number;
  readonly bytes: number;
  readonly reactions: number;
}

interface Shown {
  readonly message: RowText | null;
  readonly event: string | null;
  readonly line: string | null;
}

/**
 * Reads the caller's inbox; an admin may read any agent's. All items are from channels of which the agent is a member
 * and which the caller's token allows.
 */
export const readInbox: Read<'inbox.read'> = async (db, actor, params, maxBytes, dialect, at) => {
  const agentId = params.agentId ?? actor.agentId;
  if (agentId !== actor.agentId && !actor.isAdmin) {
    return refuse('forbidden', 'only an admin may read the inbox of another agent');
  }
  const { epoch, now, ...seen } = await readMoment(db, dialect, at);
  const scope = inboxScope(epoch, agentId, actor.channels);
  const given = params.after === null ? null : decodeInboxCursor(params.after);
  const after = given?.scope === scope ? given : { scope, place: 0, next: 0, open: [] };
  const start = encodeInboxCursor(after);

  const { rows, counts } = await readRows(db, actor, { ...params, agentId }, after, dialect);
  const isNewestFirst = params.maxChars !== null;
  const places = placesOf(isNewestFirst ? rows : rows.toReversed(), after.place);
  const cursorAt = (row: Row) =>
    encodeInboxCursor({ scope, place: places.get(row) ?? row.id, ...seen });
  const page = createPageText(maxBytes - channelsMax * countBytes, isNewestFirst);
  const shorten = createShortener(params.maxChars);
  let done = 0;
  for (const step of stepsOf(rows.slice(0, params.limit), maxBytes, stepMessages)) {
    const shown = await shownOf(db, step, shorten);
    const before = page.count;
    const isOpen = page.add(
      shown.map(({ row, item }) => itemText(row, cursorAt(row), now - row.timestamp, item)),
    );
    const isAll = isOpen && !shorten.isFull;
    const last = shown[page.count - before - 1]?.row;
    // Rows whose message is gone are not shown. Such rows before the last shown row count as done too.
    if (isAll) done += step.length;
    else if (last) done += step.indexOf(last) + 1;
    if (!isAll) break;
  }
  if (isNewestFirst) for (const row of rows.slice(0, done)) countDown(counts, row.channel_id);
  const newest = rows[isNewestFirst ? 0 : done - 1];
  return {
    ok: true,
    text: resultText('items', page.pieces, () => ({
      omitted: omittedOf(counts, start),
      cursor: newest ? cursorAt(newest) : start,
      hasMore: !isNewestFirst && rows.length > done,
    })),
  };
};

/**
 * Returns the place for the cursor of each row, with `rows` newest first. A late item became visible after an earlier
 * read had shown items with higher places. If the cursor had the late item's own place, the next read would show those
 * items again. So the newest late item gets the place of the earlier read.
 */
function placesOf(rows: readonly Row[], earlier: number): ReadonlyMap<Row, number> {
  return new Map(
    rows.map((row, index) => {
      const newer = rows[index - 1];
      const isLast = newer === undefined || newer.id > earlier;
      return [row, isLast ? Math.max(row.id, earlier) : row.id];
    }),
  );
}

/** Returns the epoch, the time, and `next` and `open` of a cursor, which say what commits the snapshot sees. */
async function readMoment(
  db: Kysely<Tables>,
  dialect: Dialect,
  { now, seen }: Engine['sql'],
): Promise<{ epoch: string; now: number } & Pick<InboxPlace, 'next' | 'open'>> {
  const [next, open] =
    dialect === 'sqlite' ? [sql<number>`0`, sql<string>`'[]'`] : [seen.next, seen.open];
  const moment = await db
    .selectFrom('meta')
    .select(['value as epoch', now().as('now'), next.as('next'), open.as('open')])
    .where('name', '=', 'epoch')
    .executeTakeFirstOrThrow();
  const transactions = JSON.parse(moment.open) as number[];
  return { ...moment, open: transactions.sort((a, b) => a - b) };
}

/**
 * Returns the rows of the page in display order, with one row more if another page follows. Also counts the items that
 * fell out of the inbox, and with `maxChars` all items. Without `maxChars`, it usually reads only the rows that it
 * returns. It reads more if the inbox is full, or if `after` covers its oldest items but they are not acknowledged.
 */
async function readRows(
  db: Kysely<Tables>,
  { channels }: Actor,
  { agentId, limit, maxChars }: Params & { readonly agentId: string },
  after: InboxPlace,
  dialect: Dialect,
): Promise<{ rows: Row[]; counts: Map<string, number> }> {
  const counts = new Map<string, number>();
  if (channels?.length === 0) return { rows: [], counts };
  const isMine = channels ? sql`and m.channel_id in (${sql.join([...channels])})` : sql``;
  const isNew = (row: string) =>
    after.place === 0 ? sql`1 = 1` : sql`not ${isCovered(row, after, dialect)}`;
  const columns = (row: string) =>
    sql.raw(
      ['id', 'channel_id', 'seq', 'message_seq', 'reason', 'ask_id', 'question_id']
        .map((column) => `${row}.${column}`)
        .join(', '),
    );
  const oldest = sql`(select oldest.id from oldest)`;
  const readable = (row: string) => sql`join members m
    on m.channel_id = ${sql.ref(row)}.channel_id and m.agent_id = ${agentId} ${isMine}
    join channels c on c.id = m.channel_id and c.deleted_at is null`;
  const waiting = sql`from inbox i where i.agent_id = ${agentId} and ${isNew('i')}`;
  // Reads all messages to everyone. Their number in a channel is bounded by `sweepInboxesOfAll`.
  const ofAll = sql`select ${columns('a')},
      case when ${isNew('a')} then 1 else 0 end as is_new
    from members m cross join channels c cross join inbox a
    where m.agent_id = ${agentId} ${isMine} and c.id = m.channel_id and c.deleted_at is null
      and ${isItemOfMember}`;
  const newOfAll = sql`from of_all a where a.is_new = 1`;
  const page = sql`limit ${limit + 1}`;
  const order = sql.raw(maxChars === null ? 'asc' : 'desc');
  const counted = (row: string, from: RawBuilder<unknown>) =>
    sql`union all select 0, ${sql.ref(`${row}.channel_id`)}, 0, 0, '', null, null, 0,
      ${sql.ref(`${row}.items`)}, '', '', 0, 0, 0 ${from}`;
  const countOfOwn = (condition: RawBuilder<unknown>) =>
    counted(
      'n',
      sql`from (select i.channel_id, count(*) as items ${waiting} ${condition}
        group by i.channel_id) as n ${readable('n')}`,
    );
  const countOfAll = (condition: RawBuilder<unknown>) =>
    counted(
      'n',
      sql`from (select a.channel_id, count(*) as items ${newOfAll} ${condition}
        group by a.channel_id) as n`,
    );
  const omitted =
    maxChars === null
      ? sql`${countOfOwn(sql`and i.id < ${oldest}`)} ${countOfAll(sql`and a.id < ${oldest}`)}`
      : sql`${countOfOwn(sql``)} ${countOfAll(sql``)}`;
  const countOfFallen = counted(
    'f',
    sql`from inbox_overflow f ${readable('f')}
      where f.agent_id = ${agentId} and f.last_id > ${after.place}`,
  );
  const found = await sql<Row>`
    with of_all as materialized (${ofAll}),
    oldest as materialized (select coalesce((
      select n.id from (
        select * from (select i.id from inbox i where i.agent_id = ${agentId}
          order by i.id desc limit ${sql.lit(limits.inboxItems)}) as own
        union all select a.id from of_all a) as n
      order by n.id desc limit 1 offset ${sql.lit(limits.inboxItems - 1)}), 0) as id)
    select * from (
      select ${columns('r')}, r.of_all, cast(null as bigint) as omitted,
        l.type, l.sender_id, l.timestamp,
        octet_length(coalesce(t.envelope, l.envelope)) as bytes,
        (select count(*) from reactions x where x.message_id = s.id) as reactions
      from (
        select * from (
          select * from (select ${columns('i')}, 0 as of_all from inbox i ${readable('i')}
            where i.agent_id = ${agentId} and ${isNew('i')} and i.id >= ${oldest}
            order by i.id ${order} ${page}) as own
          union all
          select * from (select ${columns('a')}, 1 as of_all ${newOfAll} and a.id >= ${oldest}
            order by a.id ${order} ${page}) as everyone) as candidates
        order by id ${order} ${page}) as r
      join log l on l.channel_id = r.channel_id and l.seq = r.seq
      left join messages s on s.channel_id = r.channel_id and s.seq = r.message_seq
      left join log t on t.channel_id = s.channel_id and t.seq = s.text_seq) as page
    ${omitted} ${countOfFallen}`.execute(db);
  const rows: Row[] = [];
  for (const row of found.rows) {
    if (row.omitted === null) rows.push(row);
    else counts.set(row.channel_id, (counts.get(row.channel_id) ?? 0) + row.omitted);
  }
  rows.sort((one, other) => (maxChars === null ? one.id - other.id : other.id - one.id));
  return { rows, counts };
}

/** Decides how items are shown, newest first: whole while their texts fit, then as lines while a line fits. */
function createShortener(maxChars: number | null) {
  let left = maxChars ?? Infinity;
  let isWhole = true;
  let isFull = false;
  const take = (chars: number) => {
    if (chars > left) return false;
    left -= chars;
    return true;
  };
  return {
    isNeeded: maxChars !== null,
    get isFull() {
      return isFull;
    },
    /** Null when this item and all older ones are left out. */
    show(whole: Shown, chars: number, line: string): Shown | null {
      isWhole &&= take(chars);
      if (isWhole) return whole;
      isFull ||= !take(line.length);
      return isFull ? null : { message: null, event: null, line };
    },
  };
}

/** Loads what the rows show, without rows whose message is gone. */
async function shownOf(
  db: Kysely<Tables>,
  rows: readonly Row[],
  shorten: ReturnType<typeof createShortener>,
): Promise<{ row: Row; item: Shown }[]> {
  const isEvent = ({ type }: Row) => type === 'collaboration.event';
  const [messages, events] = [
    await messagesAt(
      db,
      rows.filter((row) => !isEvent(row)),
    ),
    await eventsAt(db, rows.filter(isEvent)),
  ];
  const pauses = createPauses();
  const items: { row: Row; item: Shown }[] = [];
  for (const row of rows) {
    const message = messages.get(placeOf(row.channel_id, row.message_seq)) ?? null;
    const event = events.get(placeOf(row.channel_id, row.seq)) ?? null;
    if (message === null && event === null) continue;
    const whole = { message, event: event?.json ?? null, line: null };
    if (!shorten.isNeeded) {
      items.push({ row, item: whole });
      continue;
    }
    await pauses.after(row.bytes);
    const { chars, text } = message
      ? measured(message)
      : { chars: whole.event?.length ?? 0, text: event?.name ?? '' };
    const item = shorten.show(whole, chars, lineOf(row.sender_id, text));
    if (item === null) break;
    items.push({ row, item });
  }
  return items;
}

const placeOf = (channelId: string, seq: number) => `${channelId}\n${seq}`;

function at(channel: string, seq: string, keys: readonly (readonly [string, number])[]) {
  const tuples = sql.join(keys.map(([id, n]) => sql`(${id}, cast(${n} as bigint))`));
  return sql<boolean>`(${sql.ref(channel)}, ${sql.ref(seq)}) in (values ${tuples})`;
}

async function messagesAt(
  db: Kysely<Tables>,
  rows: readonly Row[],
): Promise<ReadonlyMap<string, RowText>> {
  if (rows.length === 0) return new Map();
  const keys = rows.map((row) => [row.channel_id, row.message_seq] as const);
  const found: MessageRow[] = await selectMessages(db)
    .where(at('m.channel_id', 'm.seq', keys))
    .where('m.deleted_at', 'is', null)
    .execute();
  const texts = await messageTextsOf(db, found);
  return new Map(found.map((row, index) => [placeOf(row.channel_id, row.seq), texts[index] ?? []]));
}

async function eventsAt(
  db: Kysely<Tables>,
  rows: readonly Row[],
): Promise<ReadonlyMap<string, { readonly name: string; readonly json: string }>> {
  if (rows.length === 0) return new Map();
  const keys = rows.map((row) => [row.channel_id, row.seq] as const);
  const found = await db
    .selectFrom('log')
    .select(['channel_id', 'seq', 'envelope'])
    .where(at('channel_id', 'seq', keys))
    .execute();
  return new Map(
    found.flatMap(({ channel_id, seq, envelope }) => {
      const event = eventOfRow(envelope);
      if (event.type !== 'collaboration.event') return [];
      const { name, payload } = event;
      return [[placeOf(channel_id, seq), { name, json: JSON.stringify({ name, ...payload }) }]];
    }),
  );
}

function measured(parts: RowText): { readonly chars: number; readonly text: string } {
  const { content, metadata } = JSON.parse(parts.join('')) as Message;
  const ofMetadata = metadata === null ? 0 : JSON.stringify(metadata).length;
  return { chars: content.length + ofMetadata, text: content };
}

function lineOf(senderId: string, text: string): string {
  const line = `${senderId}: ${text
    .slice(0, 2 * limits.inboxLineChars)
    .replace(/\s+/g, ' ')
    .trim()}`;
  // A cut must not leave half of a surrogate pair.
  return line.slice(0, limits.inboxLineChars).replace(/[\uD800-\uDBFF]$/, '');
}

function itemText(
  row: Row,
  cursor: string,
  ageMs: number,
  { message, event, line }: Shown,
): RowText {
  const { reason, channel_id: channelId, seq, ask_id: askId, question_id: questionId } = row;
  const about: Pick<InboxItem, 'cursor' | 'class' | 'reason' | 'channelId' | 'seq'> = {
    ...{ cursor, class: row.of_all === 1 ? 'notify' : 'wake', reason, channelId, seq },
  };
  const rest = { line, askId, questionId, ageMs: Math.max(0, ageMs) };
  return [
    `${JSON.stringify(about).slice(0, -1)},"message":`,
    ...(message ?? ['null']),
    `,"event":${event ?? 'null'},${JSON.stringify(rest).slice(1)}`,
  ];
}

function countDown(counts: Map<string, number>, channelId: string): void {
  counts.set(channelId, (counts.get(channelId) ?? 0) - 1);
}

function omittedOf(counts: ReadonlyMap<string, number>, start: string): Omitted {
  const channels = [...counts]
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([channelId, count]) => ({ channelId, count }));
  const count = channels.reduce((sum, one) => sum + one.count, 0);
  return { count, channels: channels.slice(0, channelsMax), after: count > 0 ? start : null };
}

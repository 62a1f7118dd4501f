import type { ParamsOf } from '@openclaw/protocol';
import { decodeThreadCursor, encodeThreadCursor } from '@openclaw/protocol/wire';
import { sql, type RawBuilder } from 'kysely';
import { refuse } from '../../commands.ts';
import { messageTextsOf, selectMessages } from '../message-projection.ts';
import { threadOf } from '../objects.ts';
import type { ThreadsTable } from '../tables.ts';
import { createPageText, resultText, stepsOf } from './page-text.ts';
import { listText, openChannel, type Read } from './reading.ts';

/**
 * The most messages that one statement reads. If messages have many reactions, a statement reads fewer messages,
 * because one message may have a thousand reactions.
 */
const stepMessages = 32;

/**
 * The oldest message comes first. Deleted messages and replies are included. If not all rows fit, the page has the
 * newest ones, or with `after` the oldest ones.
 */
export const readHistory: Read<'message.history'> = async (db, actor, params, maxBytes) => {
  const { channelId, before, after, threadId, limit } = params;
  const opened = await openChannel(db, actor, channelId, 'member');
  if (!opened.ok) return opened;
  let query = db
    .selectFrom('messages as m')
    .innerJoin('log as l', (join) =>
      join.onRef('l.channel_id', '=', 'm.channel_id').onRef('l.seq', '=', 'm.text_seq'),
    )
    .select([
      'm.seq',
      sql<number>`octet_length(l.envelope)`.as('bytes'),
      sql<number>`(select count(*) from reactions r where r.message_id = m.id)`.as('reactions'),
    ])
    .where('m.channel_id', '=', channelId);
  if (threadId !== null) {
    const root = await db
      .selectFrom('messages')
      .select('seq')
      .where((eb) => eb.and({ id: threadId, channel_id: channelId }))
      .executeTakeFirst();
    if (!root) return refuse('not_found', `there is no message ${threadId}`);
    query = query.where('m.seq', 'in', threadSeqs(root.seq, params));
  }
  if (before !== null) query = query.where('m.seq', '<', before);
  if (after !== null) query = query.where('m.seq', '>', after);
  const order = after === null ? 'desc' : 'asc';
  const found = await query
    .orderBy('m.seq', order)
    .limit(limit + 1)
    .execute();

  const page = createPageText(maxBytes, order === 'desc');
  for (const step of stepsOf(found.slice(0, limit), maxBytes, stepMessages)) {
    const seqs = step.map(({ seq }) => seq);
    const rows = await selectMessages(db)
      .where('m.channel_id', '=', channelId)
      .where('m.seq', 'in', seqs)
      .orderBy('m.seq', order)
      .execute();
    if (!page.add(await messageTextsOf(db, rows))) break;
  }
  const hasMore = found.length > page.count;
  return {
    ok: true,
    text: resultText('messages', page.pieces, () => ({ head: opened.channel.head, hasMore })),
  };
};

// Finds the root by its key, and at most a page of replies by their index. One condition for both would walk the whole
// channel.
function threadSeqs(
  rootSeq: number,
  { threadId, before, after, limit }: ParamsOf<'message.history'>,
): RawBuilder<number> {
  const [bound, order] =
    after !== null
      ? [sql`and r.seq > ${after}`, sql`asc`]
      : [before === null ? sql`` : sql`and r.seq < ${before}`, sql`desc`];
  return sql<number>`(select cast(${rootSeq} as bigint) union all select * from (
    select r.seq from messages r where r.thread_id = ${threadId} ${bound}
    order by r.seq ${order} limit ${limit + 1}) as replies)`;
}

export const listThreads: Read<'thread.list'> = async (db, actor, params, maxBytes) => {
  const { channelId, cursor, limit } = params;
  const opened = await openChannel(db, actor, channelId, 'member');
  if (!opened.ok) return opened;
  let query = db.selectFrom('threads').selectAll().where('channel_id', '=', channelId);
  const place = cursor === null ? null : decodeThreadCursor(cursor);
  if (place !== null) {
    const { lastSeq, threadId } = place;
    query = query.where(sql<boolean>`(last_seq, thread_id) < (${lastSeq}, ${threadId})`);
  }
  const rows = await query
    .orderBy('last_seq', 'desc')
    .orderBy('thread_id', 'desc')
    .limit(limit + 1)
    .execute();
  const cursorOf = ({ last_seq, thread_id }: ThreadsTable) =>
    encodeThreadCursor({ lastSeq: last_seq, threadId: thread_id });
  const { head } = opened.channel;
  return listText('threads', rows, { limit, maxBytes }, threadOf, cursorOf, { head });
};

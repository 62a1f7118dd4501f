import type { ParamsOf } from '@openclaw/protocol';
import { sql, type RawBuilder } from 'kysely';
import { refuse } from '../../commands.ts';
import { messagesOf, selectMessages } from '../message-projection.ts';
import { threadOf } from '../objects.ts';
import { openChannel, pageOf, type Read } from './reading.ts';

/** Oldest first; deleted ones and replies too. */
export const readHistory: Read<'message.history'> = async (db, actor, params) => {
  const { channelId, before, after, threadId, limit } = params;
  const gate = await openChannel(db, actor, channelId, 'member');
  if (!gate.ok) return gate;
  let query = selectMessages(db).where('m.channel_id', '=', channelId);
  if (threadId !== null) {
    const root = await db
      .selectFrom('messages')
      .select('seq')
      .where('id', '=', threadId)
      .where('channel_id', '=', channelId)
      .executeTakeFirst();
    if (!root) return refuse('not_found', `there is no message ${threadId}`);
    query = query.where('m.seq', 'in', threadSeqs(root.seq, params));
  }
  if (before !== null) query = query.where('m.seq', '<', before);
  if (after !== null) query = query.where('m.seq', '>', after);
  const isForward = after !== null;
  const rows = await query
    .orderBy('m.seq', isForward ? 'asc' : 'desc')
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit);
  if (!isForward) page.reverse();
  const messages = await messagesOf(db, page);
  return { ok: true, result: { messages, head: gate.channel.head, hasMore: rows.length > limit } };
};

// The root by its key, and no more replies than the page may take, by their index: one condition for both would walk the
// whole channel. A thread lies in one channel, so that its id alone finds its replies.
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

/** In the order of their root messages. */
export const listThreads: Read<'thread.list'> = async (db, actor, params) => {
  const { channelId, cursor, limit } = params;
  const gate = await openChannel(db, actor, channelId, 'member');
  if (!gate.ok) return gate;
  const rows = await db
    .selectFrom('threads')
    .selectAll()
    .where('channel_id', '=', channelId)
    .where('thread_id', '>', cursor ?? '')
    .orderBy('thread_id')
    .limit(limit + 1)
    .execute();
  const { page, nextCursor } = pageOf(rows, limit, (last) => last.thread_id);
  return { ok: true, result: { threads: page.map(threadOf), nextCursor } };
};

import { isContentTooLarge, type Message } from '@openclaw/protocol';
import { sql } from 'kysely';
import { refuse, type Refusal } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { emptied, messagesOf, selectMessages } from '../message-projection.ts';
import { eventOfRow, storedWithEvent } from '../stored-envelope.ts';
import type { ChannelsTable } from '../tables.ts';
import { dbOf, done, enter, type Decide } from './decision.ts';
import { topicsOf } from './send.ts';

/** The author's alone. */
export const editMessage: Decide<'message.edit'> = async (group, { actor, params }) => {
  if (isContentTooLarge(params.content)) return refuse('too_large', 'the content is too long');
  const gate = await enter(group, actor, params.channelId, { from: 'member', inArchived: false });
  if (!gate.ok) return gate;
  const { channel } = gate;
  const found = await findMessage(group, channel, params.messageId);
  if (!found.ok) return found;
  if (found.message.senderId !== actor.agentId && !actor.isAdmin) {
    return refuse('forbidden', 'only its author edits a message');
  }
  if (found.message.deletedAt !== null) return refuse('conflict', 'the message was deleted');
  if (found.message.content === params.content) return done({ seq: null });

  const message: Message = {
    ...found.message,
    content: params.content,
    editedAt: group.nowMs,
  };
  const event = group.append(channel, {
    senderId: actor.agentId,
    messageId: message.id,
    event: () => ({ type: 'channel.message.edit', channelId: channel.id, message }),
  });
  await dbOf(group)
    .updateTable('messages')
    .set({ text_seq: channel.head })
    .where('channel_id', '=', channel.id)
    .where('seq', '=', message.seq)
    .execute();
  return done({ seq: channel.head }, event, topicsOf(channel, []));
};

/** The author's, and the owners': also in an archived channel, since text must be removable. */
export const deleteMessage: Decide<'message.delete'> = async (group, { actor, params }) => {
  const gate = await enter(group, actor, params.channelId, { from: 'member', inArchived: true });
  if (!gate.ok) return gate;
  const { channel, role } = gate;
  const found = await findMessage(group, channel, params.messageId);
  if (!found.ok) return found;
  const mayDelete = found.message.senderId === actor.agentId || role === 'owner' || actor.isAdmin;
  if (!mayDelete) return refuse('forbidden', 'only its author or an owner deletes a message');
  if (found.message.deletedAt !== null) return done({ seq: null });

  const message = emptied(found.message, group.nowMs);
  await emptyLogRows(group, message);
  const db = dbOf(group);
  await db.deleteFrom('reactions').where('message_id', '=', message.id).execute();
  await db
    .deleteFrom('mentions')
    .where('channel_id', '=', channel.id)
    .where('seq', '=', message.seq)
    .execute();
  await db
    .updateTable('messages')
    .set({ deleted_at: group.nowMs })
    .where('channel_id', '=', channel.id)
    .where('seq', '=', message.seq)
    .execute();
  const event = group.append(channel, {
    senderId: actor.agentId,
    messageId: message.id,
    event: () => ({ type: 'channel.message.delete', channelId: channel.id, message }),
  });
  return done({ seq: channel.head }, event, topicsOf(channel, []));
};

/** A message as it now stands. */
export async function findMessage(
  group: GroupState,
  channel: ChannelsTable,
  messageId: string,
): Promise<{ readonly ok: true; readonly message: Message } | Refusal> {
  const db = dbOf(group);
  const row = await selectMessages(db)
    .where('m.id', '=', messageId)
    .where('m.channel_id', '=', channel.id)
    .executeTakeFirst();
  const [message] = row ? await messagesOf(db, [row]) : [];
  return message ? { ok: true, message } : refuse('not_found', `there is no message ${messageId}`);
}

const rowsAtOnce = 100;

// Whoever reads the log from the beginning finds the message in its place, without its text. The fingerprint goes too:
// a short text could be guessed from it. In steps, since a message may have been edited very often.
async function emptyLogRows(group: GroupState, message: Message): Promise<void> {
  const rows = dbOf(group)
    .selectFrom('log')
    .select(['seq', 'envelope'])
    .where('channel_id', '=', message.channelId);
  const first = await rows.where('seq', '=', message.seq).execute();
  await emptyRows(group, message.channelId, first);
  for (let last = message.seq; ;) {
    const edits = await rows
      .where('message_id', '=', message.id)
      .where('type', '=', sql.lit('channel.message.edit'))
      .where('seq', '>', last)
      .orderBy('seq')
      .limit(rowsAtOnce)
      .execute();
    await emptyRows(group, message.channelId, edits);
    last = edits.at(-1)?.seq ?? last;
    if (edits.length < rowsAtOnce) return;
  }
}

async function emptyRows(
  group: GroupState,
  channelId: string,
  rows: readonly { readonly seq: number; readonly envelope: string }[],
): Promise<void> {
  if (rows.length === 0) return;
  const cases = rows.map(({ seq, envelope }) => {
    const event = eventOfRow(envelope);
    if (!('message' in event)) throw new Error(`log row ${channelId}/${seq} has no message`);
    const message = emptied(event.message, group.nowMs);
    return sql`when ${sql.lit(seq)} then ${storedWithEvent(envelope, { ...event, message })}`;
  });
  await dbOf(group)
    .updateTable('log')
    .set({ envelope: sql<string>`case seq ${sql.join(cases, sql` `)} end`, fingerprint: null })
    .where('channel_id', '=', channelId)
    .where(
      'seq',
      'in',
      rows.map(({ seq }) => seq),
    )
    .execute();
}

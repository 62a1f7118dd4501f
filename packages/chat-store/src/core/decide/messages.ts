import type { Message } from '@openclaw/protocol';
import { limits } from '@openclaw/protocol/wire';
import { sql } from 'kysely';
import { refuse, type Refusal } from '../../commands.ts';
import { removeAsks } from '../asks.ts';
import type { GroupState } from '../group-state.ts';
import { redacted, messagesOf, selectMessages } from '../message-projection.ts';
import { redactEdits } from '../redactions.ts';
import { eventOfRow, storedWithEvent } from '../stored-envelope.ts';
import { removeStream } from '../streams.ts';
import type { ChannelsTable } from '../tables.ts';
import { accepted, type DecideAuthorized } from './decision.ts';
import { refuseTooLarge } from './send.ts';

export const editMessage: DecideAuthorized<'message.edit'> = async (group, command) => {
  const { actor, channel, params } = command;
  const tooLarge = refuseTooLarge(params.content);
  if (tooLarge) return tooLarge;
  const found = await findMessage(group, channel, params.messageId);
  if (!found.ok) return found;
  if (found.message.senderId !== actor.agentId && !actor.isAdmin) {
    return refuse('forbidden', 'only its author may edit a message');
  }
  if (found.message.deletedAt !== null) return refuse('conflict', 'the message was deleted');
  if (found.message.state === 'streaming') return refuse('conflict', 'the message still grows');
  if (found.message.content === params.content) return accepted({ seq: null });
  if (found.message.editedAt !== null && (await isEditedOften(group, found.message))) {
    return refuse('conflict', `the message was edited ${limits.edits} times`);
  }

  const message = { ...found.message, content: params.content, editedAt: group.nowMs };
  const edited = { type: 'channel.message.edit', message } as const;
  const event = group.append(channel, actor, edited, { messageId: message.id });
  await group.db
    .updateTable('messages')
    .set({ text_seq: channel.head })
    .where((eb) => eb.and({ channel_id: channel.id, seq: message.seq }))
    .execute();
  return accepted({ seq: channel.head }, event);
};

export const deleteMessage: DecideAuthorized<'message.delete'> = async (group, command) => {
  const { actor, channel, params, role } = command;
  const found = await findMessage(group, channel, params.messageId);
  if (!found.ok) return found;
  const mayDelete = found.message.senderId === actor.agentId || role === 'owner' || actor.isAdmin;
  if (!mayDelete) return refuse('forbidden', 'only its author or an owner may delete a message');
  if (found.message.deletedAt !== null) return accepted({ seq: null });

  const message = redacted(found.message, group.nowMs);
  const { db } = group;
  await redactFirstRow(group, message);
  // The end of a growing message is an edit too.
  const hasEdits = found.textSeq !== message.seq;
  if (hasEdits) await redactEdits(db, message);
  if (found.message.state === 'streaming') await removeStream(db, message.id);
  await db.deleteFrom('reactions').where('message_id', '=', message.id).execute();
  // The deletion ends the ask without an event.
  if (message.ask) await removeAsks(db, sql`(${message.id})`);
  await db
    .deleteFrom('mentions')
    .where((eb) => eb.and({ channel_id: channel.id, seq: message.seq }))
    .execute();
  if (hasEdits) await removeLaterMentions(db, message);
  await db
    .deleteFrom('inbox')
    .where((eb) => eb.and({ channel_id: channel.id, message_seq: message.seq }))
    .execute();
  const { threadId } = message;
  if (threadId !== null) {
    await db
      .updateTable('threads')
      .set((eb) => ({ replies: eb('replies', '-', 1) }))
      .where((eb) => eb.and({ channel_id: channel.id, thread_id: threadId }))
      .execute();
  }
  const deleted = { type: 'channel.message.delete', message } as const;
  const event = group.append(channel, actor, deleted, { messageId: message.id });
  // From now on, readers of the log take the message's text from this event, not from the message's edits.
  await db
    .updateTable('messages')
    .set({ deleted_at: group.nowMs, text_seq: channel.head })
    .where((eb) => eb.and({ channel_id: channel.id, seq: message.seq }))
    .execute();
  return accepted({ seq: channel.head }, event);
};

export async function findMessage(
  group: GroupState,
  channel: ChannelsTable,
  messageId: string,
): Promise<{ readonly ok: true; readonly message: Message; readonly textSeq: number } | Refusal> {
  const { db } = group;
  const row = await selectMessages(db)
    .where((eb) => eb.and({ 'm.id': messageId, 'm.channel_id': channel.id }))
    .executeTakeFirst();
  const [message] = row ? await messagesOf(db, [row]) : [];
  return row && message
    ? { ok: true, message, textSeq: row.text_seq }
    : refuse('not_found', `there is no message ${messageId}`);
}

// Removes the text from the message's first row in the log. Also removes the fingerprint, because a short text could be
// guessed from the fingerprint.
async function redactFirstRow(group: GroupState, message: Message): Promise<void> {
  const { channelId, seq } = message;
  const key = { channel_id: channelId, seq };
  const row = await group.db
    .selectFrom('log')
    .select('envelope')
    .where((eb) => eb.and(key))
    .executeTakeFirstOrThrow();
  const event = eventOfRow(row.envelope);
  if (!('message' in event)) throw new Error(`log row ${channelId}/${seq} has no message`);
  const first = { ...event, message: redacted(event.message, group.nowMs) };
  await group.db
    .updateTable('log')
    .set({ envelope: storedWithEvent(row.envelope, first), fingerprint: null })
    .where((eb) => eb.and(key))
    .execute();
}

// The ends of a growing message are stored as edits, but do not count. There may be two ends, because an interrupted
// message can be finished. Each query therefore walks at most `limits.edits` + 2 entries of an index.
async function isEditedOften(group: GroupState, message: Message): Promise<boolean> {
  const edits = () =>
    group.db
      .selectFrom('log')
      .where((eb) => eb.and({ channel_id: message.channelId, message_id: message.id }))
      .where('type', '=', sql.lit('channel.message.edit'));
  const isBeyond = async (count: number) =>
    (await edits().select('seq').limit(1).offset(count).executeTakeFirst()) !== undefined;
  if (!(await isBeyond(limits.edits - 1))) return false;
  const first = await edits().select('envelope').orderBy('seq').limit(2).execute();
  const ends = first.filter(({ envelope }) => envelope.includes('"editedAt":null')).length;
  return ends === 0 || isBeyond(limits.edits - 1 + ends);
}

async function removeLaterMentions(db: GroupState['db'], message: Message): Promise<void> {
  const { channelId, id } = message;
  const ends = db
    .selectFrom('log')
    .select('seq')
    .where((eb) => eb.and({ channel_id: channelId, message_id: id }))
    .where('type', '=', sql.lit('channel.message.edit'));
  await db
    .deleteFrom('mentions')
    .where('channel_id', '=', channelId)
    .where('seq', 'in', ends)
    .execute();
}

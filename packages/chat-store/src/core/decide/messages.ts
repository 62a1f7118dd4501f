import { isContentTooLarge, limits, type Message } from '@openclaw/protocol';
import { sql } from 'kysely';
import { refuse, type Refusal } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { redacted, messagesOf, selectMessages } from '../message-projection.ts';
import { redactEdits } from '../redactions.ts';
import { eventOfRow, storedWithEvent } from '../stored-envelope.ts';
import type { ChannelsTable } from '../tables.ts';
import { dbOf, accepted, loadAuthorized, type Decide } from './decision.ts';

/** For the author and admins only. */
export const editMessage: Decide<'message.edit'> = async (group, { actor, params }) => {
  if (isContentTooLarge(params.content)) return refuse('too_large', 'the content is too long');
  const loaded = await loadAuthorized(group, actor, params.channelId, 'member');
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  const found = await findMessage(group, channel, params.messageId);
  if (!found.ok) return found;
  if (found.message.senderId !== actor.agentId && !actor.isAdmin) {
    return refuse('forbidden', 'only its author may edit a message');
  }
  if (found.message.deletedAt !== null) return refuse('conflict', 'the message was deleted');
  if (found.message.content === params.content) return accepted({ seq: null });
  if (found.message.editedAt !== null && (await isEditedOften(group, found.message))) {
    return refuse('conflict', `the message was edited ${limits.edits} times`);
  }

  const message: Message = {
    ...found.message,
    content: params.content,
    editedAt: group.nowMs,
  };
  const event = group.append(channel, {
    sender: actor,
    messageId: message.id,
    event: () => ({ type: 'channel.message.edit', channelId: channel.id, message }),
  });
  await dbOf(group)
    .updateTable('messages')
    .set({ text_seq: channel.head })
    .where('channel_id', '=', channel.id)
    .where('seq', '=', message.seq)
    .execute();
  return accepted({ seq: channel.head }, event);
};

/** For the author and the owners. Allowed in an archived channel too, since text must be removable. */
export const deleteMessage: Decide<'message.delete'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'member', 'even archived');
  if (!loaded.ok) return loaded;
  const { channel, role } = loaded;
  const found = await findMessage(group, channel, params.messageId);
  if (!found.ok) return found;
  const mayDelete = found.message.senderId === actor.agentId || role === 'owner' || actor.isAdmin;
  if (!mayDelete) return refuse('forbidden', 'only its author or an owner may delete a message');
  if (found.message.deletedAt !== null) return accepted({ seq: null });

  const message = redacted(found.message, group.nowMs);
  await redactFirstRow(group, message);
  const db = dbOf(group);
  if (message.editedAt !== null) await redactEdits(db, message);
  await db.deleteFrom('reactions').where('message_id', '=', message.id).execute();
  await db
    .deleteFrom('mentions')
    .where('channel_id', '=', channel.id)
    .where('seq', '=', message.seq)
    .execute();
  if (message.threadId !== null) {
    await db
      .updateTable('threads')
      .set((eb) => ({ replies: eb('replies', '-', 1) }))
      .where('channel_id', '=', channel.id)
      .where('thread_id', '=', message.threadId)
      .execute();
  }
  const event = group.append(channel, {
    sender: actor,
    messageId: message.id,
    event: () => ({ type: 'channel.message.delete', channelId: channel.id, message }),
  });
  // From this event on, the message's text is the text of the event, so no reader needs the rows of its edits.
  await db
    .updateTable('messages')
    .set({ deleted_at: group.nowMs, text_seq: channel.head })
    .where('channel_id', '=', channel.id)
    .where('seq', '=', message.seq)
    .execute();
  return accepted({ seq: channel.head }, event);
};

/** The current message. */
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

// A reader of the log finds the message at its seq without its text. The fingerprint is removed too, because a short
// text could be guessed from it.
async function redactFirstRow(group: GroupState, message: Message): Promise<void> {
  const db = dbOf(group);
  const { channelId, seq } = message;
  const row = await db
    .selectFrom('log')
    .select('envelope')
    .where('channel_id', '=', channelId)
    .where('seq', '=', seq)
    .executeTakeFirstOrThrow();
  const event = eventOfRow(row.envelope);
  if (!('message' in event)) throw new Error(`log row ${channelId}/${seq} has no message`);
  const first = redacted(event.message, group.nowMs);
  await db
    .updateTable('log')
    .set({
      envelope: storedWithEvent(row.envelope, { ...event, message: first }),
      fingerprint: null,
    })
    .where('channel_id', '=', channelId)
    .where('seq', '=', seq)
    .execute();
}

// Walks at most `limits.edits` entries of an index, even for messages that were edited more often before there was a
// limit.
async function isEditedOften(group: GroupState, message: Message): Promise<boolean> {
  const last = await dbOf(group)
    .selectFrom('log')
    .select('seq')
    .where('channel_id', '=', message.channelId)
    .where('message_id', '=', message.id)
    .where('type', '=', sql.lit('channel.message.edit'))
    .limit(1)
    .offset(limits.edits - 1)
    .executeTakeFirst();
  return last !== undefined;
}

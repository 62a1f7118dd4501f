import type { Message } from '@openclaw/protocol';
import type { Kysely } from 'kysely';
import { eventOfRow } from './stored-envelope.ts';
import type { MessagesTable, Tables } from './tables.ts';

/** A message's row with the log row that holds its text. */
export type MessageRow = MessagesTable & { readonly envelope: string };

/** Selects messages with their text; the caller narrows it down. */
export function selectMessages(db: Kysely<Tables>) {
  return db
    .selectFrom('messages as m')
    .innerJoin('log as l', (join) =>
      join.onRef('l.channel_id', '=', 'm.channel_id').onRef('l.seq', '=', 'm.text_seq'),
    )
    .selectAll('m')
    .select('l.envelope');
}

/** Messages as they now stand: the text from the log, the reactions from their table. */
export async function messagesOf(
  db: Kysely<Tables>,
  rows: readonly MessageRow[],
): Promise<Message[]> {
  if (rows.length === 0) return [];
  const reactions = await db
    .selectFrom('reactions')
    .selectAll()
    .where(
      'message_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('seq')
    .execute();
  const byMessage = new Map<string, Record<string, string[]>>();
  for (const { message_id, emoji, agent_id } of reactions) {
    const ofMessage = byMessage.get(message_id) ?? {};
    byMessage.set(message_id, ofMessage);
    (ofMessage[emoji] ??= []).push(agent_id);
  }
  return rows.map((row) => ({ ...textOf(row), reactions: byMessage.get(row.id) ?? {} }));
}

/** What a deleted message still says. */
export function emptied(message: Message, deletedAt: number): Message {
  return { ...message, content: '', mentions: [], metadata: null, deletedAt, reactions: {} };
}

function textOf(row: MessageRow): Message {
  const event = eventOfRow(row.envelope);
  if (!('message' in event))
    throw new Error(`log row ${row.channel_id}/${row.text_seq} has no message`);
  return event.message;
}

import type { Message } from '@openclaw/protocol';
import type { Kysely } from 'kysely';
import { eventOfRow, inPresentShape } from './stored-envelope.ts';
import type { MessagesTable, Tables } from './tables.ts';

export type MessageRow = MessagesTable & { readonly envelope: string };

export function selectMessages(db: Kysely<Tables>) {
  return db
    .selectFrom('messages as m')
    .innerJoin('log as l', (join) =>
      join.onRef('l.channel_id', '=', 'm.channel_id').onRef('l.seq', '=', 'm.text_seq'),
    )
    .selectAll('m')
    .select('l.envelope');
}

/** Texts come from the log or, while a message grows, from `streams`. */
export async function messagesOf(
  db: Kysely<Tables>,
  rows: readonly MessageRow[],
): Promise<Message[]> {
  const reactions = await reactionsOf(db, rows);
  const growing = await growingTexts(db, rows);
  return rows.map((row) => ({
    ...withText(textOf(row), growing.get(row.id)),
    reactions: reactions.get(row.id) ?? {},
  }));
}

/** Cuts the JSON of messages out of their stored envelopes, if possible. Returns a list of parts for each message. */
export async function messageTextsOf(
  db: Kysely<Tables>,
  rows: readonly MessageRow[],
): Promise<string[][]> {
  const reactions = await reactionsOf(db, rows);
  const growing = await growingTexts(db, rows);
  return rows.map((row) => {
    const ofMessage = reactions.get(row.id) ?? {};
    const text = growing.get(row.id);
    return text === undefined
      ? messageTextOf(row, ofMessage)
      : [JSON.stringify({ ...withText(textOf(row), text), reactions: ofMessage })];
  });
}

const withText = (message: Message, text: string | undefined): Message =>
  text === undefined ? message : { ...message, content: text };

const streamingState = '"state":"streaming"';

/** Costs nothing if no message grows. */
async function growingTexts(
  db: Kysely<Tables>,
  rows: readonly MessageRow[],
): Promise<ReadonlyMap<string, string>> {
  const ids = rows
    .filter((row) => row.deleted_at === null && row.envelope.includes(streamingState))
    .map(({ id }) => id);
  if (ids.length === 0) return new Map();
  const streams = await db
    .selectFrom('streams')
    .select(['message_id', 'text'])
    .where('message_id', 'in', ids)
    .execute();
  return new Map(streams.map(({ message_id, text }) => [message_id, text]));
}

type Reactions = Message['reactions'];

async function reactionsOf(
  db: Kysely<Tables>,
  rows: readonly MessageRow[],
): Promise<Map<string, Reactions>> {
  const byMessage = new Map<string, Reactions>();
  if (rows.length === 0) return byMessage;
  const ids = rows.map((row) => row.id);
  const reactions = await db
    .selectFrom('reactions')
    .selectAll()
    .where('message_id', 'in', ids)
    .orderBy('seq')
    .execute();
  for (const { message_id, emoji, agent_id } of reactions) {
    const ofMessage = byMessage.get(message_id) ?? {};
    byMessage.set(message_id, ofMessage);
    (ofMessage[emoji] ??= []).push(agent_id);
  }
  return byMessage;
}

/** Removes the text. The origin stays, so that its taints still pass on. */
export function redacted(message: Message, deletedAt: number): Message {
  return {
    ...message,
    // The deletion also ends a growing message, so that nobody may append to it.
    state: message.state === 'streaming' ? 'stopped' : message.state,
    content: '',
    mentions: [],
    mentionsAll: undefined,
    metadata: null,
    deletedAt,
    reactions: {},
  };
}

function textOf(row: MessageRow): Message {
  const event = eventOfRow(row.envelope);
  if (!('message' in event))
    throw new Error(`log row ${row.channel_id}/${row.text_seq} has no message`);
  return event.message;
}

const beforeMessage = ',"message":';
const afterEvent = '},"timestamp":';
const beforeReactions = ',"reactions":{';

// The envelope has the message as it was sent or last edited. Since then, only the message's last field, its reactions,
// may have changed. So only the reactions are replaced.
function messageTextOf(row: MessageRow, reactions: Reactions): string[] {
  const { deleted_at: deletedAt } = row;
  const envelope = inPresentShape(row.envelope);
  const from = envelope.indexOf(beforeMessage) + beforeMessage.length;
  const text = envelope.slice(from, envelope.lastIndexOf(afterEvent));
  const at = text.lastIndexOf(beforeReactions);
  const rest = at > 0 ? parseObject(`{${text.slice(at + 1)}`) : null;
  if (rest && deletedAt === null && text.startsWith(`{"id":"${row.id}"`)) {
    return [text.slice(0, at), `,${JSON.stringify({ ...rest, reactions }).slice(1)}`];
  }
  const message = textOf(row);
  return [
    JSON.stringify(deletedAt === null ? { ...message, reactions } : redacted(message, deletedAt)),
  ];
}

function parseObject(json: string): object | null {
  try {
    return JSON.parse(json) as object;
  } catch {
    return null;
  }
}

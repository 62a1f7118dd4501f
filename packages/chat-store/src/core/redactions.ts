import type { Message } from '@openclaw/protocol';
import { sql, type Kysely } from 'kysely';
import type { Engine } from './engine.ts';
import { encodeForLog, messageInPresentShape } from './stored-envelope.ts';
import type { LogTable, RedactionsTable, Tables } from './tables.ts';

// A message may have been edited very often, and each edit's log row holds a text of it. Emptying all rows in the
// transaction that deletes the message would stop all other writes meanwhile. So the deletion notes in `redactions` what is
// to be emptied, every reader of the log gets such rows without their text from that commit on, and the sweeper empties
// them piece by piece. A reader shows the same bytes before a row is emptied and after.

/** Rows emptied at once: no commit waits longer than these take. */
const rowsMax = 50;
/** Deleted messages that one commit empties: as many agents may delete what was edited once or twice. */
const redactionsMax = 20;

const editType = sql.lit('channel.message.edit' as const);

type EditRow = Pick<LogTable, 'id' | 'seq' | 'sender_id' | 'timestamp'>;

/** Selects rows of the log as they may be read: one of a deleted message that still holds a text has no `envelope`. */
export function selectReadable(db: Kysely<Tables>) {
  // No join, which might change the plan of a page: it walks the log's key, and only rows of edits look anything up.
  const redaction = sql`from redactions r
    where r.channel_id = log.channel_id and r.message_id = log.message_id`;
  return db
    .selectFrom('log')
    .select(['channel_id', 'seq', 'id', 'type', 'sender_id', 'timestamp'])
    .select([
      sql<string | null>`case when type = ${editType} then (select r.message ${redaction}) end`.as(
        'redacted',
      ),
      sql<string | null>`case when type = ${editType} and exists (select 1 ${redaction})
        then null else envelope end`.as('envelope'),
    ]);
}

/** The envelope of a row from {@link selectReadable}, without the text of a deleted message. */
export function readableEnvelope(
  row: EditRow & { readonly envelope: string | null; readonly redacted: string | null },
): string {
  return row.envelope ?? redactedEdit(row, JSON.parse(row.redacted ?? '') as Message);
}

/** From this commit on no reader of the log gets a text of the deleted message's edits; the sweeper empties them later. */
export async function redactEdits(db: Kysely<Tables>, message: Message): Promise<void> {
  await db
    .insertInto('redactions')
    .values({
      ...{ channel_id: message.channelId, message_id: message.id },
      ...{ message: JSON.stringify(message), after_seq: message.seq },
    })
    .execute();
}

/**
 * Empties some rows of edits: of one deleted message, or of several that were edited little. Answers whether there may be
 * more. Several hubs may do so at once, and a hub that is killed leaves the rest to the next.
 */
export function sweepRedactions(engine: Engine): Promise<boolean> {
  return engine.write(async (db) => {
    let query = db.selectFrom('redactions').selectAll().limit(redactionsMax);
    // A message that another hub is emptying is left to it.
    if (engine.dialect === 'postgres') query = query.forUpdate().skipLocked();
    const redactions = await query.execute();
    let left = rowsMax;
    for (const redaction of redactions) {
      left -= await redactSome(db, redaction, left);
      if (left <= 0) break;
    }
    return redactions.length > 0;
  });
}

/** Empties so many of a message's rows at most, and answers how many those were. */
async function redactSome(
  db: Kysely<Tables>,
  redaction: RedactionsTable,
  most: number,
): Promise<number> {
  const { channel_id, message_id, after_seq } = redaction;
  const rows = await db
    .selectFrom('log')
    .select(['seq', 'id', 'sender_id', 'timestamp'])
    .where('channel_id', '=', channel_id)
    .where('message_id', '=', message_id)
    .where('type', '=', editType)
    .where('seq', '>', after_seq)
    .orderBy('seq')
    .limit(most)
    .execute();
  const message = JSON.parse(redaction.message) as Message;
  if (rows.length > 0) {
    const cases = rows.map(
      (row) => sql`when ${sql.lit(row.seq)} then ${redactedEdit(row, message)}`,
    );
    await db
      .updateTable('log')
      .set({ envelope: sql<string>`case seq ${sql.join(cases, sql` `)} end` })
      .where('channel_id', '=', channel_id)
      .where(
        'seq',
        'in',
        rows.map(({ seq }) => seq),
      )
      .execute();
  }
  const last = rows.at(-1);
  const done = db
    .deleteFrom('redactions')
    .where('channel_id', '=', channel_id)
    .where('message_id', '=', message_id);
  const further = db
    .updateTable('redactions')
    .set({ after_seq: last?.seq ?? after_seq })
    .where('channel_id', '=', channel_id)
    .where('message_id', '=', message_id);
  await (rows.length < most ? done : further).execute();
  return rows.length;
}

// From the row's own columns: the text is neither read nor parsed.
// So the kind of an editor that is not the author, an admin, is not known any more.
function redactedEdit(row: EditRow, deleted: Message): string {
  const { id, seq, sender_id: senderId, timestamp } = row;
  const message = { ...messageInPresentShape(deleted), editedAt: timestamp };
  const { channelId } = message;
  return encodeForLog({
    id,
    event: { type: 'channel.message.edit', channelId, message },
    timestamp,
    senderId,
    senderKind: senderId === message.senderId ? message.senderKind : null,
    channelId,
    seq,
    epoch: '',
  }).stored;
}

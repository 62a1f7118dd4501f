import type { Message } from '@openclaw/protocol';
import { sql, type Kysely } from 'kysely';
import type { Engine } from './engine.ts';
import { encodeForLog, messageInPresentShape } from './stored-envelope.ts';
import type { LogTable, RedactionsTable, Tables } from './tables.ts';

// Redacting all edits of a message in the transaction of its deletion would stop other writes for long. So the deletion
// only adds a row to `redactions`. Readers omit the text of edits with such a row, and the sweeper redacts these edits
// in pieces.

/** The most rows of one commit, so that no other commit waits long. */
const rowsMax = 50;
/**
 * The most deleted messages of one commit. This limit is for messages with few edits, which `rowsMax` hardly limits.
 */
const redactionsMax = 20;

const editType = sql.lit('channel.message.edit' as const);

type EditRow = Pick<LogTable, 'id' | 'seq' | 'sender_id' | 'timestamp'>;

/**
 * Selects the log without the `envelope` of an edit whose message is deleted. That envelope may still hold the text.
 */
export function selectReadable(db: Kysely<Tables>) {
  // The query of a page must read the log in the order of its key. A join might change this query plan. The sub-selects
  // do not change it, and they run only for edits.
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

export function readableEnvelope(
  row: EditRow & { readonly envelope: string | null; readonly redacted: string | null },
): string {
  return row.envelope ?? redactedEdit(row, JSON.parse(row.redacted ?? '') as Message);
}

/** Once this is committed, no reader of the log gets the text of the message's edits. */
export async function redactEdits(db: Kysely<Tables>, message: Message): Promise<void> {
  const { channelId: channel_id, id: message_id, seq: after_seq } = message;
  const redaction = { channel_id, message_id, after_seq, message: JSON.stringify(message) };
  await db.insertInto('redactions').values(redaction).execute();
}

/**
 * Redacts some edits. Returns whether there may be more. Several hubs may do this at once, and if one is killed,
 * another continues.
 */
export function sweepRedactions(engine: Engine): Promise<boolean> {
  return engine.write(async (db) => {
    let query = db.selectFrom('redactions').selectAll().limit(redactionsMax);
    // Skips messages on which another hub is working.
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

async function redactSome(
  db: Kysely<Tables>,
  redaction: RedactionsTable,
  most: number,
): Promise<number> {
  const { channel_id, message_id, after_seq } = redaction;
  const key = { channel_id, message_id };
  const rows = await db
    .selectFrom('log')
    .select(['seq', 'id', 'sender_id', 'timestamp'])
    .where((eb) => eb.and(key))
    .where('type', '=', editType)
    .where('seq', '>', after_seq)
    .orderBy('seq')
    .limit(most)
    .execute();
  const message = JSON.parse(redaction.message) as Message;
  if (rows.length > 0) {
    const seqs = rows.map(({ seq }) => seq);
    const cases = rows.map(
      (row) => sql`when ${sql.lit(row.seq)} then ${redactedEdit(row, message)}`,
    );
    await db
      .updateTable('log')
      .set({ envelope: sql<string>`case seq ${sql.join(cases, sql` `)} end` })
      .where('channel_id', '=', channel_id)
      .where('seq', 'in', seqs)
      .execute();
  }
  const done = db.deleteFrom('redactions').where((eb) => eb.and(key));
  const further = db
    .updateTable('redactions')
    .set({ after_seq: rows.at(-1)?.seq ?? after_seq })
    .where((eb) => eb.and(key));
  await (rows.length < most ? done : further).execute();
  return rows.length;
}

function senderKindOf(senderId: string, message: Message): Message['senderKind'] {
  if (senderId === message.senderId) return message.senderKind;
  return senderId === 'hub' ? 'hub' : null;
}

// The envelope is made anew from the other columns, so the text is not loaded. No column has the kind of the editor. If
// the editor is neither the author nor the hub, the kind is null.
function redactedEdit(row: EditRow, deleted: Message): string {
  const { id, seq, sender_id: senderId, timestamp } = row;
  const message = { ...messageInPresentShape(deleted), editedAt: timestamp };
  const { channelId } = message;
  return encodeForLog({
    id,
    event: { type: 'channel.message.edit', channelId, message },
    timestamp,
    senderId,
    senderKind: senderKindOf(senderId, message),
    channelId,
    seq,
    epoch: '',
  }).stored;
}

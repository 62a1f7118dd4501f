import type { Message } from '@openclaw/protocol';
import { appendedText, limits, refuseFrozen } from '@openclaw/protocol/wire';
import { sql, type Kysely } from 'kysely';
import { refuse, refuseWith, type Actor, type Refusal, type StreamPiece } from '../commands.ts';
import { agentKindOf } from './decide/decision.ts';
import type { Engine } from './engine.ts';
import type { GroupState } from './group-state.ts';
import { jsonList } from './json-list.ts';
import { messagesOf, selectMessages } from './message-projection.ts';
import { openChannel } from './read/reading.ts';
import type { StreamsTable, Tables } from './tables.ts';

// A growing message has its text in a row of `streams`, because rows of the log are not rewritten. The author's hub
// keeps the text in memory, and adds the new part to the row at least once a second. At the end, under the channel's
// lock, the whole text is logged and the row removed.

/** How much of a message's text the database has after a checkpoint. */
export interface StreamCheckpoint {
  readonly messageId: string;
  /** Null: the message has stopped growing, or the piece does not continue its text. */
  readonly length: number | null;
}

export interface StreamText {
  readonly ok: true;
  readonly text: string;
}

export const streamAuthorsMax = 5_000;
/** The most authors whose streams one statement records as seen. */
const seenMax = 500;

/**
 * Counts the agent's streams. Locks the agent until the end of the transaction, because two hubs may begin streams in
 * two channels at the same time.
 */
export async function countStreams(
  { db, locksRows }: GroupState,
  agentId: string,
): Promise<number> {
  if (locksRows)
    await sql`select pg_advisory_xact_lock(hashtextextended(${`streams ${agentId}`}, 0))`.execute(
      db,
    );
  const rows = await db
    .selectFrom('streams')
    .select('message_id')
    .where('agent_id', '=', agentId)
    .limit(limits.streams)
    .execute();
  return rows.length;
}

export async function openStream(
  { db, nowMs }: GroupState,
  actor: Actor,
  message: Pick<StreamsTable, 'channel_id' | 'message_id' | 'seq' | 'text'>,
): Promise<void> {
  await db
    .insertInto('streams')
    .values({
      ...message,
      agent_id: actor.agentId,
      kind: agentKindOf(actor),
      length: message.text.length,
      appended_at: nowMs,
      seen_at: nowMs,
      due: 0,
    })
    .execute();
}

export async function removeStream(db: Kysely<Tables>, messageId: string): Promise<void> {
  await db.deleteFrom('streams').where('message_id', '=', messageId).execute();
}

/**
 * Adds text to growing messages, in one transaction. A checkpoint only extends a text: the part that is stored
 * already must be equal. A message that is due to be interrupted is not extended, because its channel may be archived or
 * frozen. Name each message once.
 */
export function checkpointStreams(
  engine: Engine,
  pieces: readonly StreamPiece[],
): Promise<StreamCheckpoint[]> {
  return engine.write(async (db) => {
    const { dialect } = engine;
    const now = engine.sql.now();
    if (dialect === 'postgres') {
      const channelIds = [...new Set(pieces.map(({ channelId }) => channelId))];
      await db
        .selectFrom('channels')
        .select('id')
        .where('id', 'in', channelIds)
        .orderBy('id')
        .forUpdate()
        .execute();
    }
    const rows = pieces.map(
      ({ messageId, from, text }) => [messageId, from, text, from + text.length] as const,
    );
    const columns = { message_id: 'text', from_length: 'bigint', text: 'text', length: 'bigint' };
    const extended = await sql<{ message_id: string }>`
      update streams set text = streams.text || w.text, length = w.length,
        appended_at = ${now}, seen_at = ${now}
      from ${jsonList(dialect, columns as Parameters<typeof jsonList>[1], rows)} as w
      where streams.message_id = w.message_id and streams.length = w.from_length
        and streams.due = 0
      returning streams.message_id as message_id`.execute(db);
    const done = new Set(extended.rows.map(({ message_id }) => message_id));
    const checkpoints: StreamCheckpoint[] = [];
    for (const piece of pieces) {
      const { messageId, from, text } = piece;
      const length = done.has(messageId)
        ? from + text.length
        : await extendOther(engine, db, piece);
      checkpoints.push({ messageId, length });
    }
    return checkpoints;
  });
}

/** Extends a text whose length differs from what the hub knows, because the author also appends through another hub. */
async function extendOther(
  engine: Engine,
  db: Kysely<Tables>,
  { messageId, from, text }: StreamPiece,
): Promise<number | null> {
  const row = await db
    .selectFrom('streams')
    .select('text')
    .where((eb) => eb.and({ message_id: messageId, due: 0 }))
    .executeTakeFirst();
  if (!row) return null;
  const extended = appendedText(row.text, from, text);
  if (extended === null) return null;
  if (extended.length > row.text.length) {
    const now = engine.sql.now();
    await db
      .updateTable('streams')
      .set({ text: extended, length: extended.length, appended_at: now, seen_at: now })
      .where('message_id', '=', messageId)
      .execute();
  }
  return extended.length;
}

/** Reads the checkpointed text of the caller's own growing message. Refuses any other message. */
export function readStream(
  engine: Engine,
  actor: Actor,
  channelId: string,
  messageId: string,
): Promise<StreamText | Refusal> {
  return engine.snapshot(async (db) => {
    const opened = await openChannel(db, actor, channelId, 'member');
    if (!opened.ok) return opened;
    const { archived_at, frozen_at } = opened.channel;
    const row = await selectMessages(db)
      .where((eb) => eb.and({ 'm.id': messageId, 'm.channel_id': channelId }))
      .executeTakeFirst();
    const [message] = row ? await messagesOf(db, [row]) : [];
    if (!message) return refuse('not_found', `there is no message ${messageId}`);
    if (message.senderId !== actor.agentId)
      return refuse('forbidden', 'only its author may append to a message');
    if (frozen_at !== null && actor.kind === 'agent') return refuseFrozen('channel');
    if (archived_at !== null) return refuse('archived', `channel ${channelId} is archived`);
    if (message.state !== 'streaming') return refuseGrown(message);
    return { ok: true, text: message.content };
  });
}

type Grown = Pick<Message, 'content' | 'state' | 'deletedAt'>;

/** The refusal of an append that does not continue the text, or of a change to a message that has stopped growing. */
export function refuseGrown({ content, state, deletedAt }: Grown): Refusal {
  const { length } = content;
  const reason = deletedAt === null ? `it is ${state}` : 'it was deleted';
  const text =
    state === 'streaming'
      ? `the text has ${length} code units, and does not continue so`
      : `the message does not grow: ${reason}`;
  return refuseWith('conflict', text, { length, state });
}

/** Returns the agents that have streams, in the order of ids: at most {@link streamAuthorsMax} after `after`. */
export async function readStreamAuthors({ db }: Engine, after = ''): Promise<string[]> {
  const rows = await db
    .selectFrom('streams')
    .select('agent_id')
    .distinct()
    .where('agent_id', '>', after)
    .orderBy('agent_id')
    .limit(streamAuthorsMax)
    .execute();
  return rows.map(({ agent_id }) => agent_id);
}

/**
 * Records that these authors have a connection, at most once in `everyMs`. Skips locked rows: the checkpoint that locks
 * such a row also records the connection.
 */
export async function keepStreams(
  engine: Engine,
  agentIds: readonly string[],
  everyMs: number,
): Promise<void> {
  for (let at = 0; at < agentIds.length; at += seenMax) {
    const some = agentIds.slice(at, at + seenMax);
    await engine.write(async (db) => {
      const now = engine.sql.now();
      let stale = db
        .selectFrom('streams')
        .select('message_id')
        .where('agent_id', 'in', some)
        .where('seen_at', '<=', sql<number>`${now} - ${sql.lit(everyMs)}`);
      if (engine.dialect === 'postgres') stale = stale.forUpdate().skipLocked();
      const ids = (await stale.execute()).map(({ message_id }) => message_id);
      if (ids.length === 0) return;
      await db
        .updateTable('streams')
        .set({ seen_at: now })
        .where('message_id', 'in', ids)
        .execute();
    });
  }
}

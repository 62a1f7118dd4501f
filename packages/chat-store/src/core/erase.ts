import type { Envelope, Message } from '@openclaw/protocol';
import { sql, type Kysely } from 'kysely';
import type { Actor, Command } from '../commands.ts';
import type { Engine } from './engine.ts';
import { erasedEnvelope, renamedMessage, type ErasedAgent } from './erased-event.ts';
import { ChatStoreError } from '../errors.ts';
import { eraseFromAsks } from './asks.ts';
import { eraseFromQuestions } from './questions.ts';
import { eraseFromFreezes } from './freezes.ts';
import { createGroupState } from './group-state.ts';
import { emptyLists } from './group-statements.ts';
import { headOf } from './head.ts';
import { channelOf } from './objects.ts';
import { renameRows } from './pseudonym.ts';
import { sweepRedactions } from './redactions.ts';
import { runGroup, type ReportFault } from './run-group.ts';
import { feedSearch, isSweepingSegments } from './search/feed.ts';
import { inPresentShape } from './stored-envelope.ts';
import type { Tables } from './tables.ts';

// An erasure deletes the agent's messages and reactions as the agent would, so that every hub and client learns of the
// deletions by events. A second walk then rewrites other rows with text of the agent.

export interface Erasure extends ErasedAgent {
  readonly isDryRun: boolean;
}

export interface ErasePlace {
  readonly phase: 'delete' | 'redact' | 'rewrite' | 'done';
  readonly channelId: string;
  /** The channel is done up to this seq. In the phase `redact`, it is the number of pieces so far. */
  readonly seq: number;
  /**
   * The channel's head when the walk reached the channel. The walk of the channel ends there, even if the agent still
   * writes.
   */
  readonly untilSeq: number;
}

export interface EraseCounts {
  readonly messages: number;
  readonly reactions: number;
  readonly log: number;
  readonly threads: number;
  readonly members: number;
}

export const eraseStart: ErasePlace = { phase: 'delete', channelId: '', seq: 0, untilSeq: 0 };
const noCounts: EraseCounts = { messages: 0, reactions: 0, log: 0, threads: 0, members: 0 };

/** The most seqs of one channel that one piece reads. */
const windowSeqs = 1_000;
/**
 * A piece deletes at most this many messages and this many reactions, or rewrites five times as many events. A larger
 * piece would delay sends.
 */
const changesMax = 20;

export interface ErasedPiece {
  readonly place: ErasePlace;
  readonly counts: EraseCounts;
}

/** Does one bounded piece of the erasure. Call it again with the returned place until its phase is `done`. */
export async function eraseSome(
  engine: Engine,
  erasure: Erasure,
  place: ErasePlace,
  report: ReportFault,
): Promise<ErasedPiece> {
  const { phase } = place;
  if (phase === 'redact') {
    // Waits until no hub is redacting rows of this agent: a redaction that commits after the rewrite would restore the
    // text or the id. Redactions for other agents may never end, so the erasure does not wait for them.
    if (!erasure.isDryRun) await sweepRedactions(engine);
    const isWaiting =
      !erasure.isDryRun &&
      ((await isRedacting(engine, erasure.agentId)) || (await isIndexed(engine, place, report)));
    const next = isWaiting
      ? { ...place, seq: place.seq + 1 }
      : { ...eraseStart, phase: 'rewrite' as const };
    return { place: next, counts: noCounts };
  }
  const next = await nextPlace(engine, place);
  if (next) {
    return phase === 'delete'
      ? deleteSome(engine, erasure, next, report)
      : rewriteSome(engine, erasure, next);
  }
  if (phase === 'delete') return { place: { ...eraseStart, phase: 'redact' }, counts: noCounts };
  if (!erasure.isDryRun) await engine.write((db) => eraseFromFreezes(db, erasure));
  if (erasure.pseudonym !== null && !erasure.isDryRun) await forgetAgent(engine, erasure.agentId);
  return { place: { ...place, phase: 'done' }, counts: noCounts };
}

/** Stays in a channel until all its rows are done, then goes to the next channel. */
async function nextPlace({ db }: Engine, place: ErasePlace): Promise<ErasePlace | null> {
  const { phase, channelId, seq, untilSeq } = place;
  if (channelId !== '' && seq < untilSeq) return place;
  let query = db
    .selectFrom('channels')
    .select(['id', headOf('channels.id').as('head')])
    .where('id', '>', channelId);
  // The sweeper removes the messages of a deleted channel.
  if (phase === 'delete') query = query.where('deleted_at', 'is', null);
  const next = await query.orderBy('id').limit(1).executeTakeFirst();
  return next ? { phase, channelId: next.id, seq: 0, untilSeq: next.head } : null;
}

async function deleteSome(
  engine: Engine,
  erasure: Erasure,
  place: ErasePlace,
  report: ReportFault,
): Promise<ErasedPiece> {
  const { db } = engine;
  const { agentId, isDryRun } = erasure;
  const { channelId, seq, untilSeq } = place;
  const end = Math.min(seq + windowSeqs, untilSeq);
  const most = isDryRun ? windowSeqs : changesMax;
  const messages = await db
    .selectFrom('messages')
    .select('id')
    .where('channel_id', '=', channelId)
    .where('seq', '>', seq)
    .where('seq', '<=', end)
    .where('sender_id', '=', agentId)
    .where('deleted_at', 'is', null)
    .limit(most)
    .execute();
  const { rows: reactions } = await sql<{ id: string; emoji: string }>`
    select r.message_id as id, r.emoji
    from messages m join reactions r on r.message_id = m.id
    where m.channel_id = ${channelId} and m.seq > ${seq} and m.seq <= ${end}
      and r.agent_id = ${agentId} and r.seq <= ${untilSeq}
    limit ${sql.lit(most)}`.execute(db);
  const counts = { ...noCounts, messages: messages.length, reactions: reactions.length };
  if (!isDryRun) {
    const actor: Actor = { agentId, isAdmin: true };
    const commands: Command[] = [
      ...messages.map(({ id }) => ({
        actor,
        method: 'message.delete' as const,
        params: { channelId, messageId: id },
      })),
      ...reactions.map(({ id, emoji }) => ({
        actor,
        method: 'reaction.remove' as const,
        params: { channelId, messageId: id, emoji },
      })),
    ];
    const outcomes = commands.length > 0 ? await runGroup(engine, commands, report) : [];
    for (const [index, outcome] of outcomes.entries()) {
      // `not_found`: the message was trimmed, or its channel deleted, after it was read.
      if (outcome.ok || outcome.code === 'not_found') continue;
      const reaction = reactions[index - messages.length];
      if (outcome.code !== 'archived' || !reaction) {
        throw new ChatStoreError(
          'unavailable',
          `${channelId} refused a deletion: ${outcome.message}`,
        );
      }
      // In an archived channel, a reaction is removed without an event.
      const key = { message_id: reaction.id, emoji: reaction.emoji, agent_id: agentId };
      await db
        .deleteFrom('reactions')
        .where((eb) => eb.and(key))
        .execute();
    }
  }
  const isWindowDone = isDryRun || (messages.length < most && reactions.length < most);
  return { place: isWindowDone ? { ...place, seq: end } : place, counts };
}

async function rewriteSome(
  engine: Engine,
  erasure: Erasure,
  place: ErasePlace,
): Promise<ErasedPiece> {
  const { pseudonym, isDryRun } = erasure;
  const { channelId, seq, untilSeq } = place;
  const windowEnd = Math.min(seq + windowSeqs, untilSeq);
  const piece = await engine.write(async (db) => {
    if (engine.dialect === 'postgres' && !isDryRun) {
      await db
        .selectFrom('channels')
        .select('id')
        .where('id', '=', channelId)
        .forUpdate()
        .execute();
    }
    if (pseudonym !== null && !isDryRun) await renameRedactions(engine, db, erasure, channelId);
    const rows = await rowsToRewrite(engine, db, erasure, { channelId, seq, windowEnd });
    let log = 0;
    let titles = 0;
    for (const row of rows) {
      const envelope = JSON.parse(`${inPresentShape(row.envelope)}}`) as Envelope;
      const erased = erasedEnvelope(envelope, erasure, Boolean(row.isOrphan));
      const text = JSON.stringify(erased);
      // Other agents' text or the name of a field may also hold the id. A row that holds it only there does not change.
      if (erased === envelope || text === JSON.stringify(envelope)) continue;
      log += 1;
      titles += await emptyForeignTitle(db, erasure, envelope);
      if (isDryRun) continue;
      // A client_message_id is unique per sender. Under the pseudonym, it could collide with an id from an earlier
      // erasure.
      const unknown = { client_message_id: null, fingerprint: null };
      await db
        .updateTable('log')
        .set({ envelope: text.slice(0, -1), sender_id: erased.senderId })
        .set(erased.senderId === row.sender_id ? {} : unknown)
        .where((eb) => eb.and({ channel_id: channelId, seq: row.seq }))
        .execute();
    }
    if (log > 0 && !isDryRun) await noteRewrite(db, channelId);
    const isFull = rows.length === rowsMax(isDryRun);
    const end = isFull ? (rows.at(-1)?.seq ?? seq) : windowEnd;
    // The first piece of a channel also changes the channel's asks, questions, members and threads. They are found by
    // the agent's id, so they are changed before `renameRows` replaces the id.
    if (seq === 0 && !isDryRun) {
      await eraseFromAsks(db, channelId, erasure.agentId, pseudonym);
      await eraseFromQuestions(db, channelId, erasure.agentId, pseudonym);
    }
    const lists =
      seq === 0 ? await changeLists(db, erasure, channelId) : { members: 0, threads: 0 };
    if (pseudonym !== null && !isDryRun) await renameRows(db, erasure, { channelId, seq }, end);
    return { end, counts: { ...noCounts, ...lists, log, threads: lists.threads + titles } };
  });
  const { end, counts } = piece;
  if (end >= untilSeq && pseudonym !== null && !isDryRun) await announce(engine, channelId);
  return { place: { ...place, seq: end }, counts };
}

const rowsMax = (isDryRun: boolean) => (isDryRun ? 200 : changesMax * 5);

async function rowsToRewrite(
  engine: Engine,
  db: Kysely<Tables>,
  { agentId, pseudonym, isDryRun }: Erasure,
  { channelId, seq, windowEnd }: Pick<ErasePlace, 'channelId' | 'seq'> & { windowEnd: number },
) {
  const quoted = JSON.stringify(agentId);
  const holds = (text: string) =>
    engine.dialect === 'sqlite'
      ? sql<boolean>`instr(envelope, ${text}) > 0`
      : sql<boolean>`position(${text} in envelope) > 0`;
  const holdsId = holds(quoted);
  // A question's events hold texts of its opener and of everyone who answered.
  const isOfQuestion = holds('"name":"question.');
  // An edit is younger than its message, so the message may be trimmed first.
  const isOrphan = sql<boolean>`(type = 'channel.message.edit'
    and not exists (select 1 from messages m where m.id = log.message_id))`;
  const written = sql<boolean>`(type in ('channel.member.join', 'channel.member.leave',
    'channel.member.update', 'thread.create', 'thread.update')
    or (type = 'collaboration.event' and (sender_id = ${agentId} or ${isOfQuestion})) or ${isOrphan}) and ${holdsId}`;
  // The name of a direct channel joins both agentIds in one string, so `holdsId` does not find an id in it.
  const named = sql<boolean>`(${holdsId} or sender_id = ${agentId} or type = 'channel.update')`;
  let query = db
    .selectFrom('log')
    .select(['seq', 'sender_id', 'envelope', isOrphan.as('isOrphan')])
    .where('channel_id', '=', channelId)
    .where('seq', '>', seq)
    .where('seq', '<=', windowEnd)
    .where(pseudonym === null ? written : named)
    .orderBy('seq')
    .limit(rowsMax(isDryRun));
  // The sweeper of deleted texts may be rewriting the same rows.
  if (engine.dialect === 'postgres' && !isDryRun) query = query.forUpdate();
  return query.execute();
}

/** Empties a title that the agent gave to another agent's thread. Returns the number of threads. */
async function emptyForeignTitle(
  db: Kysely<Tables>,
  { agentId, isDryRun }: Erasure,
  { event, senderId }: Envelope,
): Promise<number> {
  if (senderId !== agentId || !('thread' in event)) return 0;
  const { channelId, threadId, title } = event.thread;
  if (title === null) return 0;
  const where = sql`channel_id = ${channelId} and thread_id = ${threadId} and title = ${title}
    and created_by <> ${agentId}`;
  if (!isDryRun) {
    const updated = await sql`update threads set title = null where ${where}`.execute(db);
    return Number(updated.numAffectedRows);
  }
  const { rows } = await sql<{
    n: number;
  }>`select count(*) as n from threads where ${where}`.execute(db);
  return rows[0]?.n ?? 0;
}

async function noteRewrite(db: Kysely<Tables>, channelId: string): Promise<void> {
  await db
    .insertInto('log_floors')
    .values({ channel_id: channelId, floor: 1, rewrites: 1 })
    .onConflict((conflict) =>
      conflict.column('channel_id').doUpdateSet({ rewrites: sql`log_floors.rewrites + 1` }),
    )
    .execute();
}

async function changeLists(
  db: Kysely<Tables>,
  { agentId, isDryRun }: Erasure,
  channelId: string,
): Promise<Pick<EraseCounts, 'members' | 'threads'>> {
  const members = sql`members where channel_id = ${channelId} and agent_id = ${agentId}
    and display_name is not null`;
  const threads = sql`threads where channel_id = ${channelId} and created_by = ${agentId}
    and title is not null`;
  if (isDryRun) {
    const count = async (from: typeof members) =>
      (await sql<{ n: number }>`select count(*) as n from ${from}`.execute(db)).rows[0]?.n ?? 0;
    return { members: await count(members), threads: await count(threads) };
  }
  const changed = await db
    .updateTable('members')
    .set({ display_name: null })
    .where((eb) => eb.and({ channel_id: channelId, agent_id: agentId }))
    .where('display_name', 'is not', null)
    .executeTakeFirst();
  const emptied = await db
    .updateTable('threads')
    .set({ title: null })
    .where((eb) => eb.and({ channel_id: channelId, created_by: agentId }))
    .where('title', 'is not', null)
    .executeTakeFirst();
  return { members: Number(changed.numUpdatedRows), threads: Number(emptied.numUpdatedRows) };
}

/**
 * Replaces the agent's id in waiting redactions. Otherwise the sweeper would write the id into log rows again. Call
 * this before the log's rows are locked, because on PostgreSQL it waits for a running sweeper.
 */
async function renameRedactions(
  { dialect }: Engine,
  db: Kysely<Tables>,
  erasure: Erasure,
  channelId: string,
): Promise<void> {
  let query = db.selectFrom('redactions').selectAll().where('channel_id', '=', channelId);
  if (dialect === 'postgres') query = query.forUpdate();
  for (const { message_id, message } of await query.execute()) {
    const renamed = JSON.stringify(renamedMessage(JSON.parse(message) as Message, erasure));
    if (renamed === message) continue;
    await db
      .updateTable('redactions')
      .set({ message: renamed })
      .where((eb) => eb.and({ channel_id: channelId, message_id }))
      .execute();
  }
}

// Hubs notice by a channel's head that their caches are outdated. A rewrite alone does not change the head, so this
// appends an event.
async function announce(engine: Engine, channelId: string): Promise<void> {
  const opening = await engine.beginGroup([channelId], emptyLists);
  try {
    const group = createGroupState(opening);
    const channel = group.channel(channelId);
    if (channel?.deleted_at === null) {
      const hub = { agentId: 'hub', kind: 'hub' } as const;
      group.append(channel, hub, () => ({ type: 'channel.update', channel: channelOf(channel) }));
    }
    await opening.transaction.commit(group.takeLastRows());
  } catch (error) {
    await opening.transaction.rollback();
    throw error;
  }
}

/** True while rows of the agent's deleted messages are not redacted, even if another hub has locked them. */
async function isRedacting({ db, dialect }: Engine, agentId: string): Promise<boolean> {
  const sender = `"senderId":${JSON.stringify(agentId)}`;
  const found = await db
    .selectFrom('redactions')
    .select('message_id')
    .where(
      dialect === 'sqlite'
        ? sql<boolean>`instr(message, ${sender}) > 0`
        : sql<boolean>`position(${sender} in message) > 0`,
    )
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/**
 * The most pieces of index work in one erasure. Without a limit, the work might never end, because other agents keep
 * writing.
 */
const indexPiecesMax = 1_000;

/** Returns true while the index may hold words of the deleted messages. */
async function isIndexed(engine: Engine, { seq }: ErasePlace, report: ReportFault) {
  const { isBehind, isLocked } = await feedSearch(engine, report);
  if (isLocked) return true;
  return seq < indexPiecesMax && (isBehind || (await isSweepingSegments(engine)));
}

async function forgetAgent(engine: Engine, agentId: string): Promise<void> {
  await engine.write(async (db) => {
    for (const table of ['inbox_overflow', 'inbox', 'hub_agents'] as const)
      await db.deleteFrom(table).where('agent_id', '=', agentId).execute();
    await db.deleteFrom('agents').where('id', '=', agentId).execute();
  });
}

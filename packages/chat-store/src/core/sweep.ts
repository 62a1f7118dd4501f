import { sql, type Kysely, type RawBuilder } from 'kysely';
import { removeAsks } from './asks.ts';
import type { Engine } from './engine.ts';
import { headOf } from './head.ts';
import { lockFeed } from './search/feed.ts';
import { removeDocsOf } from './search/postings.ts';
import { removeQuestions } from './questions.ts';
import { removeFromLedger } from './ledger.ts';
import { lockChannel } from './retention.ts';
import type { Tables } from './tables.ts';

// After this time, all hubs have read the last event of a deleted channel's log.
const sweptAfterMs = 600_000;
const rowsMax = 500;
/** An ask has up to 50 addressees, whose rows are removed with it. */
const asksMax = 20;

/**
 * Removes a few hundred rows of a deleted channel, so that no commit waits long. The channel's row and the log's last
 * row stay, because the id is never reused. Returns whether there is more.
 */
export function sweepDeleted(engine: Engine): Promise<boolean> {
  return engine.write(async (db) => {
    const now = engine.sql.now();
    const channel = await db
      .selectFrom('channels')
      .select(['id', headOf('channels.id').as('head')])
      .where('deleted_at', '<', sql<number>`${now} - ${sql.lit(sweptAfterMs)}`)
      .where('swept_at', 'is', null)
      .orderBy('deleted_at')
      .limit(1)
      .executeTakeFirst();
    if (!channel) return false;
    await lockFeed(engine, db);
    // Asks and questions of a deleted channel still expire. Their expiry locks the channel, so the sweep locks it too.
    if (engine.dialect === 'postgres' && !(await lockChannel(db, channel.id, true))) return false;
    const isLeft = await sweepRows(db, channel.id, channel.head);
    if (!isLeft) {
      await db
        .deleteFrom('freezes')
        .where((eb) => eb.and({ scope: 'channel', id: channel.id }))
        .execute();
      await db
        .updateTable('channels')
        .set({ swept_at: now, name: '', topic: null, metadata: null })
        .where('id', '=', channel.id)
        .execute();
    }
    return true;
  });
}

async function sweepRows(db: Kysely<Tables>, channelId: string, head: number): Promise<boolean> {
  const messages = sql`select id from messages where channel_id = ${channelId} order by seq limit ${sql.lit(rowsMax)}`;
  // Cursors are removed before members: a cursor's key begins with the agent, and only the members table lists the
  // agents.
  const members = sql`select agent_id from members where channel_id = ${channelId}
    order by agent_id limit ${sql.lit(rowsMax)}`;
  const inChannel = (table: string, key: string) =>
    sql`delete from ${sql.table(table)} where channel_id = ${channelId} and ${sql.ref(key)} in (
      select ${sql.ref(key)} from ${sql.table(table)} where channel_id = ${channelId}
      limit ${sql.lit(rowsMax)})`;
  const steps: RawBuilder<unknown>[] = [
    sql`delete from log where channel_id = ${channelId} and seq in (
      select seq from log where channel_id = ${channelId} and seq < ${head}
      limit ${sql.lit(rowsMax)})`,
    sql`delete from read_cursors where channel_id = ${channelId} and agent_id in (${members})`,
    sql`delete from members where channel_id = ${channelId} and agent_id in (${members})`,
    inChannel('mentions', 'seq'),
    inChannel('inbox_overflow', 'agent_id'),
    inChannel('inbox', 'id'),
    inChannel('threads', 'thread_id'),
    inChannel('claims', 'thread_id'),
    inChannel('streams', 'message_id'),
    inChannel('thread_budgets', 'thread_id'),
    // One message may have a thousand reactions.
    sql`delete from reactions where (message_id, emoji, agent_id) in (
      select message_id, emoji, agent_id from reactions where message_id in (${messages})
      limit ${sql.lit(rowsMax)})`,
    sql`delete from messages where channel_id = ${channelId} and id in (${messages})`,
    sql`delete from search_fed where channel_id = ${channelId}`,
  ];
  if (await removeDocsOf(db, channelId, rowsMax)) return true;
  if (await removeFromLedger(db, channelId)) return true;
  const asks = sql`(select id from asks where channel_id = ${channelId}
    order by seq limit ${sql.lit(asksMax)})`;
  if ((await removeAsks(db, asks)) >= asksMax) return true;
  const questions = sql`(select id from questions where channel_id = ${channelId}
    order by seq limit ${sql.lit(1)})`;
  if ((await removeQuestions(db, questions)) > 0n) return true;
  for (const step of steps) {
    const { numAffectedRows = 0n } = await step.execute(db);
    if (numAffectedRows >= rowsMax) return true;
  }
  return false;
}

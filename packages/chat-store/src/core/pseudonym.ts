import { sql, type Kysely } from 'kysely';
import { renamedPair, type ErasedAgent } from './erased-event.ts';
import { renameInLedger } from './ledger.ts';
import type { Tables } from './tables.ts';

/**
 * Renames the agent in the rows of messages after `seq`, up to `end`. With `seq` 0, also renames it in the channel's
 * lists.
 */
export async function renameRows(
  db: Kysely<Tables>,
  agent: ErasedAgent,
  { channelId, seq }: { readonly channelId: string; readonly seq: number },
  end: number,
): Promise<void> {
  const { agentId, pseudonym } = agent;
  const range = sql`channel_id = ${channelId} and seq > ${seq} and seq <= ${end}`;
  const set = (table: string, column: string, where: ReturnType<typeof sql>) =>
    sql`update ${sql.table(table)} set ${sql.ref(column)} = ${pseudonym}
      where ${where} and ${sql.ref(column)} = ${agentId}`.execute(db);
  // If an agent was active again after an erasure, the pseudonym already has rows. The newer rows replace them.
  const replace = async (table: string, key: string, where: ReturnType<typeof sql>) => {
    const newer = sql`(select ${sql.ref(key)} from ${sql.table(table)}
      where ${where} and agent_id = ${agentId})`;
    await sql`delete from ${sql.table(table)} where ${where} and agent_id = ${pseudonym}
      and ${sql.ref(key)} in ${newer}`.execute(db);
    await set(table, 'agent_id', where);
  };
  await set('messages', 'sender_id', range);
  await replace('mentions', 'seq', range);
  if (seq > 0) return;
  const inChannel = sql`channel_id = ${channelId}`;
  await replace('members', 'channel_id', inChannel);
  await replace('read_cursors', 'channel_id', inChannel);
  await set('threads', 'created_by', inChannel);
  await set('claims', 'agent_id', inChannel);
  await set('streams', 'agent_id', inChannel);
  if (pseudonym !== null) await renameInLedger(db, channelId, agentId, pseudonym);
  await set('channels', 'created_by', sql`id = ${channelId}`);
  const channel = await db
    .selectFrom('channels')
    .select(['name', 'pair'])
    .where('id', '=', channelId)
    .executeTakeFirstOrThrow();
  if (channel.pair === null || !channel.pair.split('\n').includes(agentId)) return;
  await db
    .updateTable('channels')
    .set({
      pair: renamedPair(channel.pair, '\n', agent),
      name: renamedPair(channel.name, ', ', agent),
    })
    .where('id', '=', channelId)
    .execute();
}

import type { Ask, AskState } from '@openclaw/protocol';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { refuseWith, type Refusal } from '../commands.ts';
import type { AskAddresseesTable, AsksTable, Tables } from './tables.ts';

export interface LoadedAsk extends AsksTable {
  readonly addressees: readonly AskAddresseesTable[];
}

/** Loads asks in the order of `ids`, without those that do not exist. */
export async function loadAsks(db: Kysely<Tables>, ids: readonly string[]): Promise<LoadedAsk[]> {
  if (ids.length === 0) return [];
  const asks = await db.selectFrom('asks').selectAll().where('id', 'in', ids).execute();
  const rows = await db
    .selectFrom('ask_addressees')
    .selectAll()
    .where('ask_id', 'in', ids)
    .orderBy('ask_id')
    .orderBy('position')
    .execute();
  const byId = new Map(asks.map((ask) => [ask.id, { ...ask, addressees: [] as typeof rows }]));
  for (const row of rows) byId.get(row.ask_id)?.addressees.push(row);
  return ids.flatMap((id) => byId.get(id) ?? []);
}

export function refuseUnknown(agentIds: readonly string[]): Refusal {
  return refuseWith('not_found', `nobody to ask: ${agentIds.join(', ')}`, { agentIds });
}

export function askOf({ id, channel_id, sender_id, deadline_at, addressees }: LoadedAsk): Ask {
  return {
    askId: id,
    channelId: channel_id,
    from: sender_id,
    deadlineMs: deadline_at,
    addressees: addressees.map(({ agent_id, state, note }) => ({ agentId: agent_id, state, note })),
  };
}

/** Sets the state and note of these agents in each of the asks. An ask without open addressees no longer expires. */
export async function setAskState(
  db: Kysely<Tables>,
  askIds: readonly string[],
  agentIds: readonly string[],
  state: AskState,
  note: string | null,
): Promise<void> {
  if (askIds.length === 0 || agentIds.length === 0) return;
  await db
    .updateTable('ask_addressees')
    .set({ state, note })
    .where('ask_id', 'in', askIds)
    .where('agent_id', 'in', agentIds)
    .execute();
  await sql`update asks set due_at = null where id in (${sql.join([...askIds])}) and not exists (
    select 1 from ask_addressees a where a.ask_id = asks.id and a.state = 'open')`.execute(db);
}

export async function removeAsks(db: Kysely<Tables>, ids: RawBuilder<unknown>): Promise<bigint> {
  await sql`delete from ask_addressees where ask_id in ${ids}`.execute(db);
  const { numAffectedRows = 0n } = await sql`delete from asks where id in ${ids}`.execute(db);
  return numAffectedRows;
}

/** Empties the notes of an erased agent in a channel. Replaces its id by the pseudonym, if it has one. */
export async function eraseFromAsks(
  db: Kysely<Tables>,
  channelId: string,
  agentId: string,
  pseudonym: string | null,
): Promise<void> {
  const inChannel = sql`ask_id in (select id from asks where channel_id = ${channelId})`;
  const own = sql`agent_id = ${agentId} and ${inChannel}`;
  await sql`update ask_addressees set note = null where ${own} and note is not null`.execute(db);
  if (pseudonym === null) return;
  // An earlier erasure may have left the pseudonym as an addressee of the same ask.
  await sql`delete from ask_addressees where agent_id = ${pseudonym} and ${inChannel}
    and ask_id in (select ask_id from ask_addressees where agent_id = ${agentId})`.execute(db);
  await sql`update ask_addressees set agent_id = ${pseudonym} where ${own}`.execute(db);
  await sql`update ask_addressees set sender_id = ${pseudonym}
    where sender_id = ${agentId} and ${inChannel}`.execute(db);
  await sql`update asks set sender_id = ${pseudonym}
    where channel_id = ${channelId} and sender_id = ${agentId}`.execute(db);
}

import type { ParamsOf } from '@openclaw/protocol';
import { sql, type RawBuilder } from 'kysely';
import type { Actor } from '../../commands.ts';
import { askOf, loadAsks, type LoadedAsk } from '../asks.ts';
import { listText, openChannel, type Read } from './reading.ts';

export const listAsks: Read<'ask.list'> = async (db, actor, params, maxBytes) => {
  const { channelId, role, limit } = params;
  if (channelId !== null) {
    const opened = await openChannel(db, actor, channelId, 'member');
    if (!opened.ok) return opened;
  }
  const lists: RawBuilder<unknown>[] = [];
  if (role !== 'from') lists.push(addressedTo(actor, params));
  if (role !== 'to') lists.push(askedBy(actor, params));
  const { rows } = await sql<{ id: string }>`select id from (
      ${sql.join(lists, sql` union `)}) as l order by id desc limit ${limit + 1}`.execute(db);
  const asks = await loadAsks(
    db,
    rows.map(({ id }) => id),
  );
  return listText('asks', asks, { limit, maxBytes }, askOf, ({ id }: LoadedAsk) => id);
};

function addressedTo(actor: Actor, params: ParamsOf<'ask.list'>): RawBuilder<unknown> {
  const { state, limit } = params;
  const ofState = state === null ? sql`` : sql`and a.state = ${state}`;
  return sql`select * from (select k.id from ask_addressees a join asks k on k.id = a.ask_id
    ${readable(actor)} where a.agent_id = ${actor.agentId} ${ofState} ${after(sql`a.ask_id`, params)}
      ${inChannels(actor, params)}
    order by a.ask_id desc limit ${limit + 1}) as received`;
}

function askedBy(actor: Actor, params: ParamsOf<'ask.list'>): RawBuilder<unknown> {
  const { state, limit } = params;
  // An ask has a row for each of its addressees that is in the state.
  const own =
    state === null
      ? sql`(select k.id, k.channel_id from asks k where k.sender_id = ${actor.agentId})`
      : sql`(select distinct a.ask_id as id, s.channel_id from ask_addressees a
          join asks s on s.id = a.ask_id
          where a.sender_id = ${actor.agentId} and a.state = ${state})`;
  return sql`select * from (select k.id from ${own} as k
    ${readable(actor)} where 1 = 1 ${after(sql`k.id`, params)} ${inChannels(actor, params)}
    order by k.id desc limit ${limit + 1}) as sent`;
}

function readable({ isAdmin, agentId }: Actor): RawBuilder<unknown> {
  const isMember = isAdmin
    ? sql``
    : sql`join members m on m.channel_id = k.channel_id and m.agent_id = ${agentId}`;
  return sql`join channels c on c.id = k.channel_id and c.deleted_at is null ${isMember}`;
}

function after(id: RawBuilder<unknown>, { cursor }: ParamsOf<'ask.list'>): RawBuilder<unknown> {
  return cursor === null ? sql`` : sql`and ${id} < ${cursor}`;
}

function inChannels({ channels }: Actor, { channelId }: ParamsOf<'ask.list'>): RawBuilder<unknown> {
  const named = channelId === null ? sql`` : sql`and k.channel_id = ${channelId}`;
  if (!channels) return named;
  const bounded =
    channels.length === 0 ? sql`and 1 = 0` : sql`and k.channel_id in (${sql.join([...channels])})`;
  return sql`${named} ${bounded}`;
}

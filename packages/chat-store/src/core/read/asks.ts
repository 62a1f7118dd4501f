import type { ParamsOf } from '@openclaw/protocol';
import { sql, type RawBuilder } from 'kysely';
import type { Actor } from '../../commands.ts';
import { askOf, loadAsks, type LoadedAsk } from '../asks.ts';
import { listText, mayRead, openChannel, type Read } from './reading.ts';

/** The most asks that one statement loads. Each ask has up to 50 addressees. */
const stepAsks = 20;

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
  // Loads a few asks at a time until the answer is full, because a whole page of asks with all notes may be too large.
  const asks: LoadedAsk[] = [];
  let bytes = 0;
  for (let at = 0; at < rows.length && bytes <= maxBytes; at += stepAsks) {
    const step = await loadAsks(
      db,
      rows.slice(at, at + stepAsks).map(({ id }) => id),
    );
    asks.push(...step);
    bytes += step.reduce((sum, ask) => sum + sizeOf(ask), 0);
  }
  return listText('asks', asks, { limit, maxBytes }, askOf, ({ id }: LoadedAsk) => id);
};

/** Returns a lower bound of the bytes that the ask takes in an answer. */
function sizeOf({ addressees }: LoadedAsk): number {
  return addressees.reduce(
    (sum, { agent_id, note }) => sum + agent_id.length + (note ?? '').length,
    0,
  );
}

function addressedTo(actor: Actor, params: ParamsOf<'ask.list'>): RawBuilder<unknown> {
  const { state, limit } = params;
  const ofState = state === null ? sql`` : sql`and a.state = ${state}`;
  return sql`select * from (select k.id from ask_addressees a join asks k on k.id = a.ask_id
    ${channel} where a.agent_id = ${actor.agentId} ${ofState} and ${mayRead(actor)}
      ${after(sql`a.ask_id`, params)} ${inChannels(actor, params)}
    order by a.ask_id desc limit ${limit + 1}) as received`;
}

function askedBy(actor: Actor, params: ParamsOf<'ask.list'>): RawBuilder<unknown> {
  const { state, limit } = params;
  if (state === null) {
    return sql`select * from (select k.id from asks k ${channel}
      where k.sender_id = ${actor.agentId} and ${mayRead(actor)}
        ${after(sql`k.id`, params)} ${inChannels(actor, params)}
      order by k.id desc limit ${limit + 1}) as sent`;
  }
  // An ask has one row for each addressee in this state, so the rows are grouped. They are grouped in the order of an
  // index, so only the rows of the page are visited.
  return sql`select * from (
    select a.ask_id as id from ask_addressees a join asks k on k.id = a.ask_id ${channel}
    where a.sender_id = ${actor.agentId} and a.state = ${state} and ${mayRead(actor)}
      ${after(sql`a.ask_id`, params)} ${inChannels(actor, params)}
    group by a.ask_id order by a.ask_id desc limit ${limit + 1}) as sent`;
}

const channel = sql`join channels c on c.id = k.channel_id and c.deleted_at is null`;

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

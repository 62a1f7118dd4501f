import { sql } from 'kysely';
import type { Actor } from '../../commands.ts';
import { connectionsOf } from '../hub-agents.ts';
import type { Dialect } from '../engine.ts';
import type { AgentsTable } from '../tables.ts';
import { listText, type Read } from './reading.ts';

type Row = Pick<AgentsTable, 'id' | 'kind' | 'last_seen'> & { readonly connections: number };

/**
 * An admin without a channel limit gets every known agent, with its connections. Any other caller gets the id and kind
 * of agents in the caller's channels.
 */
export const listAgents: Read<'agent.list'> = async (
  db,
  actor,
  { cursor, limit, kind },
  maxBytes,
  dialect = 'sqlite',
) => {
  if (actor.channels?.length === 0) return { ok: true, result: { agents: [], nextCursor: null } };
  const isOverseer = actor.isAdmin && !actor.channels;
  const ofKind = kind === null ? sql`` : sql`and a.kind = ${kind}`;
  const shared = isOverseer
    ? sql``
    : // The caller's channels may have more memberships than there are agents, so the query walks the agents.
      sql`and exists (select 1 from members m
        join members me on me.channel_id = m.channel_id and me.agent_id = ${actor.agentId}
        join channels c on c.id = m.channel_id and c.deleted_at is null
        where m.agent_id = a.id ${inBounds(actor)})`;
  const { rows } = await sql<Row>`
    select a.id, a.kind, a.last_seen, ${connectionsOf('a.id', nowOf(dialect))} as connections
    from agents a where a.id > ${cursor ?? ''} ${ofKind} ${shared}
    order by a.id limit ${limit + 1}`.execute(db);
  const objectOf = (row: Row) => ({
    agentId: row.id,
    kind: row.kind,
    connections: isOverseer ? row.connections : null,
    lastSeen: isOverseer ? row.last_seen : null,
  });
  return listText('agents', rows, { limit, maxBytes }, objectOf, (last) => last.id);
};

function inBounds({ channels }: Actor) {
  return channels ? sql`and c.id in (${sql.join([...channels])})` : sql``;
}

function nowOf(dialect: Dialect) {
  return dialect === 'sqlite'
    ? sql<number>`cast(${Date.now()} as bigint)`
    : sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
}

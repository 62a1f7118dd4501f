import type { AgentKind } from '@openclaw/protocol';
import { sql, type RawBuilder } from 'kysely';
import type { Engine } from './engine.ts';
import { deadAfterMs } from './hubs.ts';
import type { AgentsTable, HubAgentsTable } from './tables.ts';

export interface FleetAgent {
  readonly agentId: string;
  readonly kind: AgentKind | null;
  readonly lastSeenMs: number | null;
  readonly hubs: readonly {
    readonly hubId: string;
    readonly connections: number;
    readonly report: string | null;
  }[];
}

export interface LastMessage {
  readonly channelId: string;
  readonly messageId: string;
  readonly seq: number;
  readonly timestamp: number;
}

/** An agent without connections is listed only if it was seen within this time. */
const seenWithinMs = 86_400_000;
/** An agent's last messages are searched in at most this many channels. */
const channelsMax = 500;
const lastMessagesMax = 3;

/**
 * Returns agents and services in the order of their ids, if they are connected or were seen within a day. Leaves out
 * persons.
 */
export async function readFleet(
  engine: Engine,
  cursor: string,
  limit: number,
): Promise<{ readonly agents: readonly FleetAgent[]; readonly nextCursor: string | null }> {
  const rows = await readAgents(
    engine,
    sql`a.id > ${cursor} and (a.kind is null or a.kind <> 'person') and (
      a.last_seen >= ${engine.sql.now()} - ${sql.lit(seenWithinMs)}
      or exists (select 1 from hub_agents h join hubs b on b.id = h.hub_id
        where h.agent_id = a.id and ${beats(engine)}))`,
    limit + 1,
  );
  const agents = await withHubs(engine, rows.slice(0, limit));
  return { agents, nextCursor: rows.length > limit ? (agents.at(-1)?.agentId ?? null) : null };
}

/** Leaves out messages of direct channels. Null if the agent is unknown. */
export async function readFleetAgent(
  engine: Engine,
  agentId: string,
): Promise<{ readonly agent: FleetAgent; readonly lastMessages: readonly LastMessage[] } | null> {
  const [agent] = await withHubs(engine, await readAgents(engine, sql`a.id = ${agentId}`, 1));
  if (!agent) return null;
  // For each channel, one step in the index of senders finds the agent's newest message.
  const { rows } = await sql<LastMessage>`
    with own as materialized (
      select c.id as channel_id, (select max(x.ordinal) from messages x
        where x.channel_id = c.id and x.sender_id = ${agentId}) as ordinal
      from members m join channels c on c.id = m.channel_id
      where m.agent_id = ${agentId} and c.deleted_at is null and c.kind <> 'direct'
      limit ${sql.lit(channelsMax)})
    select x.channel_id as "channelId", x.id as "messageId", x.seq, l.timestamp
    from own
    join messages x on x.channel_id = own.channel_id and x.sender_id = ${agentId}
      and x.ordinal = own.ordinal and x.deleted_at is null
    join log l on l.channel_id = x.channel_id and l.seq = x.seq
    order by l.timestamp desc, x.id desc limit ${sql.lit(lastMessagesMax)}`.execute(engine.db);
  return { agent, lastMessages: rows };
}

type AgentRow = Pick<AgentsTable, 'id' | 'kind' | 'last_seen'>;

async function readAgents(
  { db }: Engine,
  where: RawBuilder<unknown>,
  limit: number,
): Promise<AgentRow[]> {
  const { rows } = await sql<AgentRow>`select a.id, a.kind, a.last_seen from agents a
    where ${where} order by a.id limit ${limit}`.execute(db);
  return rows;
}

async function withHubs(engine: Engine, agents: readonly AgentRow[]): Promise<FleetAgent[]> {
  if (agents.length === 0) return [];
  const { rows } = await sql<HubAgentsTable>`
    select h.* from hub_agents h join hubs b on b.id = h.hub_id
    where h.agent_id in (${sql.join(agents.map(({ id }) => id))}) and ${beats(engine)}
    order by h.hub_id`.execute(engine.db);
  const byAgent = Map.groupBy(rows, (row) => row.agent_id);
  return agents.map(({ id, kind, last_seen }) => ({
    ...{ agentId: id, kind, lastSeenMs: last_seen },
    hubs: (byAgent.get(id) ?? []).map(({ hub_id, connections, report }) => ({
      ...{ hubId: hub_id, connections, report },
    })),
  }));
}

function beats({ sql: { now } }: Engine): RawBuilder<boolean> {
  return sql<boolean>`b.beat_at >= ${now()} - ${sql.lit(deadAfterMs)}`;
}

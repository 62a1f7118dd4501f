import type { ChatStore, FleetAgent } from '@openclaw/chat-store';
import {
  agentActivitySchema,
  agentConnectionSchema,
  agentTurnSchema,
  type AgentActivityReport,
  type OperationsAgent,
  type OperationsFleet,
} from '@openclaw/protocol';
import { z } from 'zod';
import type { AgentOrders } from '../edge/agent-orders.ts';
import type { Frozen } from '../edge/freezes.ts';

/** Both methods reject while the database is away. */
export interface Fleet {
  page(cursor: string | null, limit: number): Promise<OperationsFleet>;
  agent(agentId: string): Promise<OperationsAgent | null>;
}

const reportSchema = z.object({
  connection: agentConnectionSchema.nullable(),
  activity: agentActivitySchema.nullable(),
  // Reports of earlier releases lack the turn, or its time.
  turn: agentTurnSchema
    .extend({ sinceMs: z.number().default(0) })
    .nullable()
    .default(null),
});

export function createFleet(deps: {
  readonly store: Pick<ChatStore, 'fleet' | 'fleetAgent'>;
  readonly agentOrders: Pick<AgentOrders, 'limitOf'>;
  readonly frozen: Frozen;
  /** False where admins read public channels only, because a turn's label may reveal something of a private channel. */
  readonly showsLabels: boolean;
}): Fleet {
  const { store, agentOrders, frozen, showsLabels } = deps;

  function shown({ agentId, kind, lastSeenMs, hubs }: FleetAgent): OperationsAgent['agent'] {
    const reports = hubs.flatMap(({ report }) => parseReport(report) ?? []);
    // The shown status is the one that was set last on any of the agent's connections.
    const connections = reports.flatMap(({ connection }) => connection ?? []);
    const turns = reports.flatMap((report) => report.turn ?? []);
    const [turn] = turns.toSorted((a, b) => b.sinceMs - a.sinceMs);
    const [newest] = connections.toSorted((a, b) => (b.statusAt ?? 0) - (a.statusAt ?? 0));
    return {
      ...{ agentId, kind, lastSeen: lastSeenMs },
      connections: hubs.reduce((sum, hub) => sum + hub.connections, 0),
      hubs: hubs.filter((hub) => hub.connections > 0).map(({ hubId }) => hubId),
      connection: newest
        ? {
            ...newest,
            since: Math.min(...connections.map(({ since }) => since)),
            channels: Math.max(...connections.map(({ channels }) => channels)),
            isLagging: connections.some(({ isLagging }) => isLagging),
          }
        : null,
      activity: joined(reports.flatMap(({ activity }) => activity ?? [])),
      turn: turn
        ? {
            ...{ state: turn.state, queueDepth: turn.queueDepth },
            label: showsLabels ? turn.label : null,
          }
        : null,
      limit: agentOrders.limitOf(agentId),
      frozen: frozen.agents.has(agentId),
    };
  }

  return {
    async page(cursor, limit) {
      const { agents, nextCursor } = await store.fleet(cursor ?? '', limit);
      return { agents: agents.map(shown), nextCursor };
    },
    async agent(agentId) {
      const found = await store.fleetAgent(agentId);
      if (found === null) return null;
      return { agent: shown(found.agent), lastMessages: [...found.lastMessages] };
    },
  };
}

function parseReport(text: string | null): z.infer<typeof reportSchema> | null {
  if (text === null) return null;
  try {
    return reportSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function joined(reports: readonly AgentActivityReport[]): AgentActivityReport | null {
  if (reports.length === 0) return null;
  const sum = (name: 'messagesPerMinute' | 'refusals' | 'errors') =>
    reports.reduce((total, report) => total + report[name], 0);
  const addressed = new Map<string, number>();
  for (const { agentId, perMinute } of reports.flatMap(({ addresses }) => addresses))
    addressed.set(agentId, (addressed.get(agentId) ?? 0) + perMinute);
  const refusals = reports.flatMap(({ lastRefusal }) => lastRefusal ?? []);
  return {
    messagesPerMinute: sum('messagesPerMinute'),
    lastMessageAt: Math.max(...reports.map(({ lastMessageAt }) => lastMessageAt ?? 0)) || null,
    refusals: sum('refusals'),
    lastRefusal: refusals.toSorted((a, b) => b.at - a.at)[0] ?? null,
    errors: sum('errors'),
    addresses: [...addressed]
      .map(([agentId, perMinute]) => ({ agentId, perMinute }))
      .sort((a, b) => b.perMinute - a.perMinute),
  };
}

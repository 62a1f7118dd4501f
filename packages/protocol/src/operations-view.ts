import { z } from 'zod';
import { agentKindSchema, presenceStatuses, timestampSchema } from './fields.ts';
import { idSchema } from './ids.ts';
import { activeTurnStates } from './turn-states.ts';

const count = z.int().min(0);
const amount = z.number().min(0);
const latencyMs = z
  .object({ p50: amount, p90: amount, p99: amount })
  .nullable()
  .describe('null: nothing happened in the last ten seconds.');

const databaseStatuses = ['ok', 'down'] as const;
const redisStatuses = ['in_use', 'away', 'none'] as const;
const publishPathStatuses = ['ok', 'down', 'unused'] as const;

export const operationsFiguresSchema = z.object({
  ms: amount.describe('The time in which it was counted.'),
  messages: count,
  deliveries: count,
  calls: count,
  failedCalls: count,
  refusedCalls: count,
  publishFailures: count,
  tailRepairs: count,
  laggingSockets: count,
  badFrames: count,
  refusedConnections: count,
  closedConnections: count,
  redisReconnects: count,
  ackP99Ms: amount.nullable(),
  deliveryP99Ms: amount.nullable(),
  sockets: count,
  agents: count,
  rooms: count,
  laggingNow: count,
  queueLength: count.describe('The most writes that waited.'),
  database: z.enum(databaseStatuses),
  redis: z.enum(redisStatuses),
  publishPath: z.enum(publishPathStatuses),
  ended: z.boolean().describe('true: the hub was shut down, in good order, at the end of it.'),
});
export type OperationsFigures = z.infer<typeof operationsFiguresSchema>;

/** The answer of `GET /v1/operations`. */
export const operationsSchema = z.object({
  timestamp: timestampSchema,
  hubId: z.string(),
  version: z.string(),
  uptimeMs: amount,
  counters: z
    .object({
      messages: count.describe('Sent through this hub, and committed.'),
      events: count.describe('Durable events delivered here, from all hubs.'),
      deliveries: count.describe('Events handed to sockets: one event for ten sockets is ten.'),
      calls: count.describe('JSON-RPC and REST calls.'),
      failedCalls: count,
      refusedCalls: count.describe('Calls refused by a limit per agent.'),
      publishFailures: count.describe('Events that did not reach Redis.'),
      tailRepairs: count.describe('Channels that were behind the log.'),
      laggingSockets: count.describe('How often a socket read too slowly for live delivery.'),
      badFrames: count,
      refusedConnections: count,
      closedConnections: count,
    })
    .describe('Totals since the hub started: they only rise.'),
  latency: z
    .object({
      ackMs: latencyMs.describe('The time of a send, its commit included.'),
      deliveryMs: latencyMs.describe(
        'From an event’s timestamp to the write to its sockets; each delivery counts.',
      ),
    })
    .describe('Over the last five to ten seconds.'),
  sockets: count,
  agents: count.describe('Agents with a socket here.'),
  rooms: count.describe('Channels that are live here.'),
  laggingNow: count.describe('Sockets that catch up from the log at this moment.'),
  database: z.object({
    status: z.enum(databaseStatuses),
    engine: z.enum(['sqlite', 'postgres']),
    latencyMs: amount.nullable(),
    queueLength: count.describe('Writes that wait for their commit.'),
  }),
  redis: z.object({
    status: z
      .enum(redisStatuses)
      .describe('away: it is configured and does not answer; none: it is not configured.'),
    mode: z.enum(['standalone', 'sentinel', 'cluster']),
    latencyMs: amount.nullable(),
    version: z.string().nullable(),
    usedMemoryBytes: count.nullable().describe('null: away, or hidden by ACL.'),
    maxMemoryBytes: count.nullable().describe('0: no limit is set.'),
    evictedKeys: count.nullable(),
    reconnects: count,
  }),
  degraded: z.boolean().describe('true: presence, typing and limits are this hub’s own.'),
  breaker: z.enum(['closed', 'open', 'half_open']),
  publishPath: z.object({
    status: z.enum(publishPathStatuses),
    latencyMs: amount.nullable(),
    lastOkAt: timestampSchema.nullable(),
  }),
  hubs: z
    .array(
      z.object({
        hubId: z.string(),
        lastBeatAgoMs: amount,
        isThis: z.boolean(),
        figures: operationsFiguresSchema
          .nullable()
          .describe('Of the seconds before its last heartbeat; null: it sent none.'),
      }),
    )
    .describe(
      'The hubs with a heartbeat in the last minute, at most 100; each sends one every 2 s.',
    ),
  channels: z
    .array(
      z.object({
        channelId: idSchema,
        name: z.string().nullable().describe('null: a direct channel, or not known yet.'),
        sockets: count,
        messagesPerSecond: amount,
        deliveriesPerSecond: amount,
        deliveryP99Ms: amount,
      }),
    )
    .describe('The busiest and the slowest live channels here: at most 20, the busiest first.'),
  history: z
    .object({
      minutes: z
        .array(
          z.object({
            hubId: z.string(),
            at: timestampSchema.describe('When the minute began.'),
            figures: operationsFiguresSchema,
          }),
        )
        .describe('Of all hubs, oldest first.'),
      nextSince: timestampSchema.nullable().describe('Where the next page begins; null: no more.'),
    })
    .nullable()
    .optional()
    .describe('Only with `since`: the minutes from then on, of at most 24 h. null: no database.'),
});
export type Operations = z.infer<typeof operationsSchema>;

/** The answer of `GET /v1/operations/agents`: agents with a socket on this hub, by agentId. */
export const operationsAgentsSchema = z.object({
  agents: z.array(
    z.object({
      agentId: idSchema,
      status: z.enum(presenceStatuses),
      customStatus: z.string().nullable(),
      avatar: z.string().nullable(),
      sockets: count,
      since: timestampSchema.describe('When the oldest of its sockets connected.'),
      channels: count.describe('Channels that its sockets are subscribed to.'),
      isLagging: z
        .boolean()
        .describe('true: one of its sockets reads too slowly for live delivery.'),
      unsentBytes: count,
    }),
  ),
  nextCursor: idSchema.nullable(),
});
export type OperationsAgents = z.infer<typeof operationsAgentsSchema>;

export const agentActivitySchema = z.object({
  messagesPerMinute: count,
  lastMessageAt: timestampSchema.nullable().describe('null: none since the hub started.'),
  refusals: count.describe(
    'Refused calls of the last ten minutes, without claims and other races that it lost.',
  ),
  lastRefusal: z.object({ code: z.string(), at: timestampSchema }).nullable(),
  errors: count.describe('Calls of the last ten minutes that a fault of the hub ended.'),
  addresses: z
    .array(z.object({ agentId: idSchema, perMinute: count }))
    .describe(
      'The agents that it addresses at least three times a minute: by mention, reply or directly.',
    ),
});
export type AgentActivityReport = z.infer<typeof agentActivitySchema>;

export const agentConnectionSchema = z.object({
  status: z.enum(presenceStatuses),
  customStatus: z.string().nullable(),
  avatar: z.string().nullable(),
  statusAt: timestampSchema.nullable().describe('When it set its status; null: never.'),
  since: timestampSchema.describe('When the oldest of its sockets connected.'),
  channels: count.describe('Channels that its sockets are subscribed to.'),
  isLagging: z.boolean(),
});
export type AgentConnectionReport = z.infer<typeof agentConnectionSchema>;

export const agentTurnSchema = z.object({
  state: z.enum(activeTurnStates),
  label: z.string().nullable(),
  queueDepth: count.nullable(),
});
export type AgentTurnReport = z.infer<typeof agentTurnSchema>;

const fleetAgentSchema = z.object({
  agentId: idSchema,
  kind: agentKindSchema.nullable(),
  lastSeen: timestampSchema.nullable(),
  connections: count,
  hubs: z.array(z.string()).describe('The hubs that it is connected to.'),
  connection: agentConnectionSchema.nullable().describe('null: it is not connected.'),
  activity: agentActivitySchema.nullable().describe('Of all hubs; null: nothing is known.'),
  turn: agentTurnSchema
    .nullable()
    .describe(
      'The turn that it set last through one of its hubs; null: none. Where admins read public channels only, without its label.',
    ),
  limit: z.string().nullable().describe('Its own limit of messages, by agent.limit.'),
  frozen: z.boolean().describe('true: a freeze of the agent itself.'),
});

/** The answer of `GET /v1/operations/fleet`: agents of all hubs, by agentId. */
export const operationsFleetSchema = z.object({
  agents: z.array(fleetAgentSchema),
  nextCursor: idSchema.nullable(),
});
export type OperationsFleet = z.infer<typeof operationsFleetSchema>;

/** The answer of `GET /v1/operations/fleet/:agentId`. */
export const operationsAgentSchema = z.object({
  agent: fleetAgentSchema,
  lastMessages: z
    .array(
      z.object({
        channelId: idSchema,
        messageId: idSchema,
        seq: count,
        timestamp: timestampSchema,
      }),
    )
    .describe(
      'Its newest messages, at most three, one a channel, newest first; direct ones are left out.',
    ),
});
export type OperationsAgent = z.infer<typeof operationsAgentSchema>;

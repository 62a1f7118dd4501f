import { z } from 'zod';
import { presenceStatuses, timestampSchema } from './fields.ts';
import { idSchema } from './ids.ts';

const count = z.int().min(0);
const amount = z.number().min(0);
const latencyMs = z
  .object({ p50: amount, p90: amount, p99: amount })
  .nullable()
  .describe('null: nothing happened in the last ten seconds.');

/** The answer of `GET /v1/operations`: the state of one hub, and its counters since it started. */
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
    status: z.enum(['ok', 'down']),
    engine: z.enum(['sqlite', 'postgres']),
    latencyMs: amount.nullable(),
    queueLength: count.describe('Writes that wait for their commit.'),
  }),
  redis: z.object({
    status: z
      .enum(['in_use', 'away', 'none'])
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
    status: z.enum(['ok', 'down', 'unused']),
    latencyMs: amount.nullable(),
    lastOkAt: timestampSchema.nullable(),
  }),
  hubs: z
    .array(z.object({ hubId: z.string(), lastBeatAgoMs: amount, isThis: z.boolean() }))
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
});
export type Operations = z.infer<typeof operationsSchema>;

/** The answer of `GET /v1/operations/agents`: the agents with a socket on this hub, by agentId. */
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

import { z } from 'zod';
import { presenceStatuses, timestampSchema } from './fields.ts';
import { idSchema } from './ids.ts';

const count = z.int().min(0);
const amount = z.number().min(0);
const latencyMs = z
  .object({ p50: amount, p90: amount, p99: amount })
  .nullable()
  .describe('null: nothing happened in the last ten seconds.');

/** What `GET /v1/operations` answers: how one hub is at this moment, and what it has done since it began. */
export const operationsSchema = z.object({
  timestamp: timestampSchema,
  hubId: z.string(),
  version: z.string(),
  uptimeMs: amount,
  counters: z
    .object({
      messages: count.describe('Sent through this hub, and committed.'),
      events: count.describe('Durable events delivered here, whichever hub committed them.'),
      deliveries: count.describe('Events handed to sockets: one event for ten sockets is ten.'),
      calls: count.describe('JSON-RPC and REST calls.'),
      failedCalls: count,
      publishFailures: count.describe('Events that did not reach Redis.'),
      tailRepairs: count.describe('Channels that the log had to bring up to date.'),
      laggingSockets: count.describe('Times that a socket read too slowly to be fed.'),
      badFrames: count,
      refusedConnections: count,
      closedConnections: count,
    })
    .describe('Totals since the hub began: they only rise.'),
  latency: z
    .object({
      ackMs: latencyMs.describe('From the call of a send to its answer, which follows the commit.'),
      deliveryMs: latencyMs.describe(
        'From an event’s timestamp to its being written to the sockets; each delivery counts.',
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
      .describe('away: one is named and does not answer; none: the hub is alone on purpose.'),
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
    .describe('The hubs that have beaten in the last minute, 100 at most; each beats every 2 s.'),
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
    .describe('The busiest live channels here, and the slowest: 20 at most, the busiest first.'),
});
/** How one hub is; see {@link operationsSchema}. */
export type Operations = z.infer<typeof operationsSchema>;

/** What `GET /v1/operations/agents` answers: the agents with a socket on this hub, by agentId. */
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
      isLagging: z.boolean().describe('true: a socket of it reads too slowly to be fed.'),
      unsentBytes: count,
    }),
  ),
  nextCursor: idSchema.nullable(),
});
/** Who is connected to one hub; see {@link operationsAgentsSchema}. */
export type OperationsAgents = z.infer<typeof operationsAgentsSchema>;

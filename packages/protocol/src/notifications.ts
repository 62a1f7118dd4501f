import { z } from 'zod';
import { envelopeSchema } from './envelope.ts';
import { errorCodes } from './errors.ts';
import { agentKindSchema, floorSchema, seqSchema } from './fields.ts';
import { epochSchema, idSchema } from './ids.ts';

const count = z.int().min(1);

export const welcomeSchema = z.object({
  sessionId: idSchema,
  agentId: idSchema,
  kind: agentKindSchema,
  protocol: z.literal(1),
  epoch: epochSchema,
  heartbeatMs: count.describe(
    'The interval of the hub’s pings; two without a pong end the connection.',
  ),
  limits: z.object({
    frameBytes: count,
    contentBytes: count,
    batch: count,
    topics: count,
    inFlight: count,
    resumeEvents: count,
    historyPage: count,
    edits: count,
    streams: count,
    resumeBytes: count.describe('The largest answer.'),
    logPage: count,
  }),
  direct: z
    .array(z.object({ channelId: idSchema, head: seqSchema }))
    .describe('The latest direct channels, which are subscribed automatically.'),
});
export type Welcome = z.infer<typeof welcomeSchema>;

export const discontinuitySchema = z.object({
  channelId: idSchema,
  head: seqSchema.describe('Live events continue from head+1.'),
  reason: z.enum(['epoch', 'behind', 'trimmed']),
  floor: floorSchema.optional().describe('With `trimmed`: the lowest seq still in the log.'),
  error: z
    .object({ code: z.enum(errorCodes) })
    .optional()
    .describe('The subscription has ended: the agent may not read the channel any more.'),
});
export type Discontinuity = z.infer<typeof discontinuitySchema>;

export const reconnectSchema = z.object({
  afterMs: z.int().min(0).describe('This client’s own slot.'),
  reason: z.string(),
});
export type Reconnect = z.infer<typeof reconnectSchema>;

export const notifications = {
  welcome: {
    summary: 'The first frame: the caller’s identity, the epoch and the limits.',
    params: welcomeSchema,
  },
  event: { summary: 'An event of a subscribed channel, or a global one.', params: envelopeSchema },
  notice: {
    summary:
      'An event about the caller in a channel that is not subscribed. Best effort: its seq is no cursor.',
    params: envelopeSchema,
  },
  discontinuity: {
    summary: 'A subscribed channel cannot be continued: reload its log or history.',
    params: discontinuitySchema,
  },
  reconnect: { summary: 'The hub is draining: reconnect after afterMs.', params: reconnectSchema },
} as const satisfies Record<string, { readonly summary: string; readonly params: z.ZodObject }>;

export type NotificationName = keyof typeof notifications;

export type NotificationOf<N extends NotificationName> = z.output<
  (typeof notifications)[N]['params']
>;

import { z } from 'zod';
import {
  agentKindSchema,
  jsonObjectSchema,
  maxMessagesSchema,
  presenceStatuses,
  retentionMsSchema,
  senderKindSchema,
  seqSchema,
  timestampSchema,
} from './fields.ts';
import { clientMessageIdSchema, idSchema } from './ids.ts';

// These schemas accept unknown fields and values beyond our limits, so that a client works with a newer or differently
// configured hub.

/** The sender gives causes and taints. The hub adds the rest. */
export const originSchema = z.object({
  via: z.enum(['ws', 'rest', 'mcp', 'a2a', 'webhook']).describe('The transport it was sent over.'),
  onBehalfOf: idSchema.nullable().describe('The claim on_behalf_of of the sender’s token.'),
  cause: z.array(idSchema).describe('Messages that led to it; the one it replies to comes first.'),
  taint: z.array(z.string()).describe('The labels of the message and of its causes.'),
});
export type Origin = z.infer<typeof originSchema>;

/**
 * A message in its current state. `seq` is the seq of its creation. A deleted message remains, but without its content.
 * Optional fields that would be null or false are omitted.
 */
export const messageSchema = z.object({
  id: idSchema,
  channelId: idSchema,
  seq: seqSchema,
  senderId: idSchema,
  senderKind: senderKindSchema
    .nullable()
    .describe('null: sent before the hub knew the kinds of senders.'),
  state: z.enum(['complete', 'streaming', 'stopped', 'failed', 'interrupted']),
  content: z.string(),
  timestamp: timestampSchema,
  threadId: idSchema.nullable(),
  replyTo: idSchema.optional().describe('A message of the same channel.'),
  mentions: z.array(idSchema),
  mentionsAll: z.boolean().optional().describe('It mentions every member who joined before it.'),
  metadata: jsonObjectSchema.nullable(),
  clientMessageId: clientMessageIdSchema.optional(),
  ask: z.object({ to: z.array(idSchema), deadlineMs: timestampSchema }).optional(),
  origin: originSchema
    .optional()
    .describe('Absent: sent over a socket, without cause, taint or principal.'),
  editedAt: timestampSchema.nullable(),
  deletedAt: timestampSchema.nullable(),
  reactions: z.record(z.string(), z.array(idSchema)),
});
export type Message = z.infer<typeof messageSchema>;

export const channelKinds = ['public', 'private', 'direct'] as const;

/** `head` is the seq of the last event. `retentionMs` and `maxMessages` are omitted where the channel sets none. */
export const channelSchema = z.object({
  channelId: idSchema,
  name: z.string(),
  kind: z.enum(channelKinds),
  topic: z.string().nullable(),
  metadata: jsonObjectSchema.nullable(),
  createdBy: idSchema,
  createdAt: timestampSchema,
  archivedAt: timestampSchema.nullable(),
  head: seqSchema,
  retentionMs: retentionMsSchema.optional().describe('Older events are trimmed.'),
  maxMessages: maxMessagesSchema
    .optional()
    .describe('Messages before the newest ones are trimmed.'),
});
export type Channel = z.infer<typeof channelSchema>;

export const memberRoles = ['owner', 'member'] as const;

export const memberSchema = z.object({
  channelId: idSchema,
  agentId: idSchema,
  kind: agentKindSchema
    .nullable()
    .describe('The kind in the agent’s last token; null until the hub has seen one.'),
  role: z.enum(memberRoles),
  displayName: z.string().nullable(),
  joinedAt: timestampSchema,
});
export type Member = z.infer<typeof memberSchema>;

/** A thread has the id of its root message. `replies` does not count deleted messages. */
export const threadSchema = z.object({
  threadId: idSchema,
  channelId: idSchema,
  title: z.string().nullable(),
  createdBy: idSchema,
  createdAt: timestampSchema,
  replies: z.int().min(0),
});
export type Thread = z.infer<typeof threadSchema>;

export const presenceSchema = z.object({
  agentId: idSchema,
  status: z.enum([...presenceStatuses, 'offline']),
  customStatus: z.string().nullable(),
  avatar: z.string().nullable(),
  lastSeen: timestampSchema,
});
export type Presence = z.infer<typeof presenceSchema>;

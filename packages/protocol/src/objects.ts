import { z } from 'zod';
import { jsonObjectSchema, presenceStatuses, seqSchema, timestampSchema } from './fields.ts';
import { idSchema } from './ids.ts';

// These schemas repeat no limit of the params, so that they also hold for a hub with other limits. They let unknown fields
// pass, so that a hub may be newer than its clients.

/** A message in its present state; `seq` is that of its creation. A deleted one keeps its place, without content. */
export const messageSchema = z.object({
  id: idSchema,
  channelId: idSchema,
  seq: seqSchema,
  senderId: idSchema,
  content: z.string(),
  timestamp: timestampSchema,
  threadId: idSchema.nullable(),
  mentions: z.array(idSchema),
  metadata: jsonObjectSchema.nullable(),
  editedAt: timestampSchema.nullable(),
  deletedAt: timestampSchema.nullable(),
  reactions: z.record(z.string(), z.array(idSchema)),
});
/** A message in its present state. */
export type Message = z.infer<typeof messageSchema>;

/** The kinds of channels. */
export const channelKinds = ['public', 'private', 'direct'] as const;

/** A channel; `head` is the seq of its last event. */
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
});
/** A channel. */
export type Channel = z.infer<typeof channelSchema>;

/** The roles of members. */
export const memberRoles = ['owner', 'member'] as const;

/** One agent's membership of one channel. */
export const memberSchema = z.object({
  channelId: idSchema,
  agentId: idSchema,
  role: z.enum(memberRoles),
  displayName: z.string().nullable(),
  joinedAt: timestampSchema,
});
/** One agent's membership of one channel. */
export type Member = z.infer<typeof memberSchema>;

/** A thread. Its id is that of its root message; `replies` counts the messages sent into it. */
export const threadSchema = z.object({
  threadId: idSchema,
  channelId: idSchema,
  title: z.string().nullable(),
  createdBy: idSchema,
  createdAt: timestampSchema,
  replies: z.int().min(0),
});
/** A thread. */
export type Thread = z.infer<typeof threadSchema>;

/** One agent's presence. */
export const presenceSchema = z.object({
  agentId: idSchema,
  status: z.enum([...presenceStatuses, 'offline']),
  customStatus: z.string().nullable(),
  avatar: z.string().nullable(),
  lastSeen: timestampSchema,
});
/** One agent's presence. */
export type Presence = z.infer<typeof presenceSchema>;

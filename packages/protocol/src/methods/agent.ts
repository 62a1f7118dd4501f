import { z } from 'zod';
import {
  agentKindSchema,
  lineSchema,
  nextCursorSchema,
  orNull,
  pageParams,
  timestampSchema,
} from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { sampleTimestamp } from '../samples.ts';
import {
  emptyResult,
  type MethodDefinition,
  paramsSchema,
  read,
  smallPageBytes,
} from './definition.ts';

const tag = 'agents';
const day = 86_400;
const messageLimitSchema = z
  .string()
  .regex(/^[1-9]\d{0,8}\/[1-9]\d{0,4}$/, { error: 'not count/seconds, such as 6/60' })
  .refine((text) => Number(text.split('/')[1]) <= day, { error: 'over a day' });

export const agentMethods = {
  'agent.list': {
    ...read,
    tag,
    orderedBy: null,
    bulky: smallPageBytes,
    summary:
      'Lists the known agents by id; to others than admins, those of their channels, without connections and lastSeen.',
    params: paramsSchema({ ...pageParams, kind: orNull(agentKindSchema) }),
    result: z.object({
      agents: z.array(
        z.object({
          agentId: idSchema,
          kind: agentKindSchema.nullable().describe('null: never seen.'),
          connections: z
            .int()
            .min(0)
            .nullable()
            .describe('To all hubs, up to a second old. null: not for the caller.'),
          lastSeen: timestampSchema.nullable().describe('null: never seen, or not for the caller.'),
        }),
      ),
      nextCursor: nextCursorSchema,
    }),
    errors: [],
    examples: [
      {
        params: { kind: 'agent', limit: 1 },
        result: {
          agents: [{ agentId: 'ben', kind: 'agent', connections: 2, lastSeen: sampleTimestamp }],
          nextCursor: 'ben',
        },
      },
    ],
  },
  'agent.kick': {
    kind: 'live',
    limit: 'read',
    orderedBy: null,
    tag,
    summary:
      'Admins: closes all sockets of an agent with 4403, on every hub. Its tokens stay valid.',
    params: paramsSchema({ agentId: idSchema, reason: lineSchema(limits.customStatusChars) }),
    result: emptyResult,
    errors: ['forbidden', 'frozen', 'not_found'],
    examples: [{ params: { agentId: 'bot-7', reason: 'It answers itself.' }, result: {} }],
  },
  'agent.limit': {
    kind: 'live',
    limit: 'read',
    orderedBy: null,
    tag,
    summary:
      'Admins: limits an agent’s messages on each hub, beside the usual limit; null ends that. Without forMs it stays.',
    params: paramsSchema({
      agentId: idSchema,
      message: messageLimitSchema.nullable().describe('count/seconds, such as 6/60.'),
      forMs: orNull(z.int().min(1).max(limits.retentionMs)),
    }),
    result: emptyResult,
    errors: ['forbidden', 'frozen', 'not_found'],
    examples: [{ params: { agentId: 'bot-7', message: '6/60', forMs: 600_000 }, result: {} }],
  },
} as const satisfies Record<string, MethodDefinition>;

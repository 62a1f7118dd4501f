import { z } from 'zod';
import { lineSchema, orNull } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { emptyResult, type MethodDefinition, paramsSchema } from './definition.ts';

const tag = 'agents';
const day = 86_400;
/** A limit of at least one message in at most a day. */
const messageLimitSchema = z
  .string()
  .regex(/^[1-9]\d{0,8}\/[1-9]\d{0,4}$/, { error: 'not count/seconds, such as 6/60' })
  .refine((text) => Number(text.split('/')[1]) <= day, { error: 'over a day' });

/** Methods by which an admin acts on an agent. Each act is audited. */
export const agentMethods = {
  'agent.kick': {
    kind: 'live',
    limit: 'read',
    orderedBy: null,
    tag,
    summary:
      'Admins: closes all sockets of an agent with 4403, on every hub. Its tokens stay valid.',
    params: paramsSchema({ agentId: idSchema, reason: lineSchema(limits.customStatusChars) }),
    result: emptyResult,
    errors: ['forbidden', 'not_found'],
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
    errors: ['forbidden', 'not_found'],
    examples: [{ params: { agentId: 'bot-7', message: '6/60', forMs: 600_000 }, result: {} }],
  },
} as const satisfies Record<string, MethodDefinition>;

import { z } from 'zod';
import { lineSchema, nextCursorSchema, orNull, pageParams } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { memberRoles, memberSchema } from '../objects.ts';
import { emptyResult, type MethodDefinition, paramsSchema } from './definition.ts';

const role = z.enum(memberRoles);
const displayName = lineSchema(limits.displayNameChars);
const memberResult = z.object({ member: memberSchema });

/** Members of a channel, managed by its owners. */
export const memberMethods = {
  'member.list': {
    summary: 'Lists a channel’s members.',
    params: paramsSchema({ channelId: idSchema, ...pageParams }),
    result: z.object({ members: z.array(memberSchema), nextCursor: nextCursorSchema }),
    errors: ['forbidden', 'not_found'],
  },
  'member.add': {
    summary: 'Makes an agent a member; one that is already stays as it is.',
    params: paramsSchema({
      channelId: idSchema,
      agentId: idSchema,
      role: role.default('member'),
      displayName: orNull(displayName),
    }),
    result: memberResult,
    errors: ['archived', 'conflict', 'forbidden', 'not_found'],
  },
  'member.remove': {
    summary: 'Ends an agent’s membership, and with it what its connections receive.',
    params: paramsSchema({ channelId: idSchema, agentId: idSchema }),
    result: emptyResult,
    errors: ['archived', 'conflict', 'forbidden', 'not_found'],
  },
  'member.update': {
    summary: 'Changes what is given of role and displayName; null empties.',
    params: paramsSchema({
      channelId: idSchema,
      agentId: idSchema,
      role: role.optional(),
      displayName: displayName.nullable().optional(),
    }),
    result: memberResult,
    errors: ['archived', 'conflict', 'forbidden', 'not_found'],
  },
} as const satisfies Record<string, MethodDefinition>;

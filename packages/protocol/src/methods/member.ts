import { z } from 'zod';
import { lineSchema, nextCursorSchema, orNull, pageParams } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { memberRoles, memberSchema } from '../objects.ts';
import { sampleMember } from '../samples.ts';
import {
  emptyResult,
  type MethodDefinition,
  paramsSchema,
  read,
  smallPageBytes,
  write,
} from './definition.ts';

const tag = 'members';
const role = z.enum(memberRoles);
const displayName = lineSchema(limits.displayNameChars);
const memberResult = z.object({ member: memberSchema });

export const memberMethods = {
  'member.list': {
    ...read,
    tag,
    bulky: smallPageBytes,
    summary: 'Lists a channel’s members.',
    params: paramsSchema({ channelId: idSchema, ...pageParams }),
    result: z.object({ members: z.array(memberSchema), nextCursor: nextCursorSchema }),
    errors: ['forbidden', 'not_found'],
    rest: { verb: 'GET', path: '/channels/:channelId/members' },
    examples: [
      { params: { channelId: 'ops' }, result: { members: [sampleMember], nextCursor: null } },
    ],
  },
  'member.add': {
    ...write,
    tag,
    summary: 'Makes an agent a member; an existing member is not changed.',
    params: paramsSchema({
      channelId: idSchema,
      agentId: idSchema,
      role: role.default('member'),
      displayName: orNull(displayName),
    }),
    result: memberResult,
    errors: ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'],
    rest: { verb: 'POST', path: '/channels/:channelId/members', status: 201 },
    examples: [
      {
        params: { channelId: 'ops', agentId: 'ben', displayName: 'Ben' },
        result: { member: sampleMember },
      },
    ],
  },
  'member.remove': {
    ...write,
    tag,
    summary: 'Ends an agent’s membership; its connections stop receiving the channel’s events.',
    params: paramsSchema({ channelId: idSchema, agentId: idSchema }),
    result: emptyResult,
    errors: ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'],
    rest: { verb: 'DELETE', path: '/channels/:channelId/members/:agentId' },
    examples: [{ params: { channelId: 'ops', agentId: 'ben' }, result: {} }],
  },
  'member.update': {
    ...write,
    tag,
    summary: 'Changes the given fields (role, displayName); null clears one.',
    params: paramsSchema({
      channelId: idSchema,
      agentId: idSchema,
      role: role.optional(),
      displayName: displayName.nullable().optional(),
    }),
    result: memberResult,
    errors: ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'],
    rest: { verb: 'PATCH', path: '/channels/:channelId/members/:agentId' },
    examples: [
      {
        params: { channelId: 'ops', agentId: 'ben', role: 'owner' },
        result: { member: { ...sampleMember, role: 'owner' } },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;

import { z } from 'zod';
import { lineSchema, orNull, timestampSchema } from '../fields.ts';
import { freezeScopes, type FreezeScope } from '../freezes.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { sampleTimestamp } from '../samples.ts';
import {
  emptyResult,
  type MethodDefinition,
  paramsSchema,
  read,
  smallPageBytes,
  write,
} from './definition.ts';

const tag = 'freezes';
const covered = {
  scope: z.enum(freezeScopes),
  id: orNull(idSchema).describe('The channel or the agent; for the whole hub absent.'),
};
const reason = lineSchema(limits.reasonChars);
const hasItsId = ({ scope, id }: { scope: FreezeScope; id: string | null }) =>
  (scope === 'hub') === (id === null);
const wrongId = { error: 'scopes channel and agent need an id, scope hub has none', path: ['id'] };
const change = { ...write, tag, orderedBy: null, result: emptyResult } as const;
const sampleParams = { scope: 'agent', id: 'ben' } as const;

export const freezeMethods = {
  freeze: {
    ...change,
    summary:
      'Stops the writes of an agent, of agents in a channel, or of all agents; for admins, and for a channel’s owners of kind person.',
    params: paramsSchema({ ...covered, reason }).refine(hasItsId, wrongId),
    errors: ['archived', 'conflict', 'forbidden', 'frozen', 'not_found'],
    examples: [{ params: { ...sampleParams, reason: 'It deploys in a loop' }, result: {} }],
  },
  unfreeze: {
    ...change,
    summary: 'Lifts one freeze; others that cover the same writes stay. Not for agents.',
    params: paramsSchema({ ...covered, reason: orNull(reason) }).refine(hasItsId, wrongId),
    errors: ['archived', 'forbidden', 'frozen', 'not_found'],
    examples: [{ params: sampleParams, result: {} }],
  },
  'freeze.list': {
    ...read,
    tag,
    orderedBy: null,
    bulky: smallPageBytes,
    summary:
      'Lists the freezes of the hub, of the caller and of its channels, for an admin all: the hub’s first, then agents, the newest first, at most 1,000.',
    params: paramsSchema({}),
    result: z.object({
      freezes: z.array(
        z.object({
          scope: z.enum(freezeScopes),
          id: idSchema.nullable(),
          reason: z.string().describe('Empty when the one who gave it was erased.'),
          by: idSchema,
          atMs: timestampSchema,
        }),
      ),
    }),
    errors: [],
    examples: [
      {
        params: {},
        result: {
          freezes: [
            {
              ...sampleParams,
              reason: 'It deploys in a loop',
              by: 'ana',
              atMs: sampleTimestamp,
            },
          ],
        },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;

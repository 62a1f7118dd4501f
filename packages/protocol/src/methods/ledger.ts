import { z } from 'zod';
import { orNull, pageParams, timestampSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { decodeListCursor, listCursorChars } from '../list-cursor.ts';
import { sampleTimestamp } from '../samples.ts';
import { isId } from '../text.ts';
import { type MethodDefinition, paramsSchema, read, smallPageBytes } from './definition.ts';

const sum = z.int().min(0);
const groupings = ['channel', 'thread', 'agent', 'hour'] as const;

export type LedgerGrouping = (typeof groupings)[number];

function isCursorOfGrouping({ by, cursor }: { by: LedgerGrouping; cursor: string | null }) {
  if (cursor === null) return true;
  if (by === 'thread') return decodeListCursor(cursor, 'name') !== null;
  return by === 'hour' ? /^\d{1,15}$/.test(cursor) : isId(cursor);
}

export const ledgerMethods = {
  'ledger.sum': {
    ...read,
    tag: 'ledger',
    orderedBy: null,
    bulky: smallPageBytes,
    summary:
      'Sums metadata.turn of the messages in the caller’s channels, by the hour; deleted messages stay counted.',
    params: paramsSchema({
      channelId: orNull(idSchema),
      agentId: orNull(idSchema),
      after: orNull(timestampSchema).describe('Epoch ms, rounded down to its hour; inclusive.'),
      before: orNull(timestampSchema).describe('Epoch ms, rounded up to an hour; exclusive.'),
      by: z.enum(groupings).describe('Hours are listed newest first, all else by id.'),
      cursor: orNull(z.string().max(listCursorChars)),
      limit: pageParams.limit,
    }).refine(isCursorOfGrouping, { error: 'not a cursor of this list', path: ['cursor'] }),
    result: z.object({
      rows: z.array(
        z.object({
          channelId: idSchema.nullable().describe('null: not grouped by it.'),
          threadId: idSchema.nullable().describe('null: outside threads, or not grouped by it.'),
          agentId: idSchema.nullable(),
          hourMs: timestampSchema.nullable().describe('The beginning of the hour.'),
          turns: sum,
          tokensIn: sum,
          tokensOut: sum,
          costMicros: sum.describe('Millionths of the fleet’s currency.'),
          ms: sum.describe('The duration of all turns.'),
        }),
      ),
      nextCursor: z.string().nullable(),
    }),
    errors: ['forbidden', 'not_found', 'too_large'],
    examples: [
      {
        params: { channelId: 'ops', by: 'agent', after: sampleTimestamp },
        result: {
          rows: [
            {
              ...{ channelId: null, threadId: null, agentId: 'ben', hourMs: null },
              ...{ turns: 2, tokensIn: 5_300, tokensOut: 410, costMicros: 21_500, ms: 8_200 },
            },
          ],
          nextCursor: null,
        },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;

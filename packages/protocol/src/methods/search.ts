import { z } from 'zod';
import { orNull, pageParams, seqSchema, textSchema, timestampSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { sampleTimestamp } from '../samples.ts';
import { countSearchWords } from '../search-words.ts';
import { type MethodDefinition, paramsSchema, read, smallPageBytes } from './definition.ts';

function hasFewWords(query: string): boolean {
  const words = countSearchWords(query);
  return words >= 1 && words <= limits.searchWords;
}

const hitSchema = z.object({
  channelId: idSchema,
  seq: seqSchema,
  messageId: idSchema,
  senderId: idSchema,
  timestamp: timestampSchema,
  threadId: idSchema.nullable(),
  snippet: z.string().describe('The text around the first match, in one line.'),
});

export const searchMethods = {
  'message.search': {
    ...read,
    tag: 'messages',
    orderedBy: null,
    bulky: smallPageBytes,
    summary:
      'Searches the caller’s channels, or the channel named, newest first; a page may be short or empty before the last one.',
    params: paramsSchema({
      query: textSchema(limits.searchChars)
        .refine(hasFewWords, {
          error: `has no word, or over ${limits.searchWords}: words are letters and digits`,
        })
        .describe('All words must occur; "…" is a phrase, a trailing * a prefix.'),
      channelId: orNull(idSchema).describe('Also a public channel of which one is no member.'),
      senderId: orNull(idSchema),
      before: orNull(timestampSchema).describe('Sent before this time.'),
      after: orNull(timestampSchema).describe('Sent after this time.'),
      limit: pageParams.limit,
      cursor: orNull(z.string().regex(/^s\d{1,15}$/, { error: 'not a cursor of a search' })),
    }),
    result: z.object({ hits: z.array(hitSchema), nextCursor: z.string().nullable() }),
    errors: ['forbidden', 'not_found'],
    examples: [
      {
        params: { query: 'deployed "1.4.0"', senderId: 'ana' },
        result: {
          hits: [
            {
              channelId: 'ops',
              seq: 42,
              messageId: 'm42',
              senderId: 'ana',
              timestamp: sampleTimestamp,
              threadId: null,
              snippet: 'Deployed 1.4.0',
            },
          ],
          nextCursor: null,
        },
      },
    ],
  },
} as const satisfies Record<string, MethodDefinition>;

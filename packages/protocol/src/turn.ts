import { z } from 'zod';
import { lineSchema, metadataSchema } from './fields.ts';
import type { JsonObject } from './json-object.ts';
import { limits } from './limits.ts';
import { paramsSchema } from './methods/definition.ts';

const figure = z.int().min(0).max(limits.turnFigure);

const turnSchema = paramsSchema({
  model: lineSchema(limits.nameChars),
  tokensIn: figure,
  tokensOut: figure,
  costMicros: figure,
  ms: figure,
});

/** The cost of one turn. `costMicros` is in millionths of the fleet's currency. */
export type Turn = z.output<typeof turnSchema>;

/** A field `turn` is checked, because the ledger counts it. */
export const messageMetadataSchema = metadataSchema
  .superRefine((metadata, context) => {
    const turn = (metadata as JsonObject | undefined)?.['turn'];
    if (turn === undefined) return;
    for (const { path, message } of turnSchema.safeParse(turn).error?.issues ?? [])
      context.addIssue({ code: 'custom', message, path: ['turn', ...path] });
  })
  .meta({
    ...metadataSchema.meta(),
    description: `${metadataSchema.description ?? ''} \`turn\` is {model, tokensIn, tokensOut, costMicros, ms}, for the ledger.`,
  });

import { z } from 'zod';
import { canonicalEmoji, isEmoji } from './emoji.ts';
import { idSchema } from './ids.ts';
import { jsonObjectProblem, type JsonObject } from './json-object.ts';
import { limits } from './limits.ts';
import { isLine, isStorableText } from './text.ts';

/** A seq, or a head: 0 is before the first event. */
export const seqSchema = z.int().min(0);

/** head + 1 when the log is empty. */
export const floorSchema = z.int().min(1).describe('The lowest seq still in the log.');

export const retentionMsSchema = z.int().min(1).max(limits.retentionMs);

export const maxMessagesSchema = z.int().min(1).max(limits.maxMessages);

/** Epoch milliseconds. */
export const timestampSchema = z.int().min(0);

export const lineSchema = (maxChars: number) =>
  z.string().min(1).max(maxChars).refine(isLine, { error: 'blank, or with control characters' });

export const textSchema = (maxChars: number) =>
  z
    .string()
    .max(maxChars)
    .refine(isStorableText, { error: 'with U+0000 or half a surrogate pair' });

/** The store limits the length and answers `too_large`, which says more than -32602. */
export const contentSchema = textSchema(limits.frameBytes)
  .min(1)
  .describe(`At most ${limits.contentBytes} bytes of UTF-8, else too_large.`);

/** A canonical spelling: reactions that look the same are equal. */
export const emojiSchema = z
  .string()
  .min(1)
  .max(limits.emojiChars, { abort: true })
  .overwrite(canonicalEmoji)
  .max(limits.emojiChars)
  .refine(isEmoji, { error: 'not usable as a reaction: it shows nothing, or changes other text' });

export const jsonObjectSchema = z.record(z.string(), z.unknown()) as unknown as z.ZodType<
  JsonObject,
  JsonObject
>;

// z.record would ignore a key `__proto__`, and walk the object a second time.
const boundedObjectSchema = (maxBytes: number) =>
  z
    .unknown()
    .superRefine((value, context) => {
      const problem = jsonObjectProblem(value, maxBytes);
      if (problem === null) return;
      const { message, path } = problem;
      context.addIssue({ code: 'custom', message, path: [...path] });
    })
    .meta({
      type: 'object',
      description: `A JSON object of at most ${maxBytes} bytes and ${limits.jsonDepth} levels; no key __proto__, constructor or prototype; no number beyond ±(2^53 - 1), which JSON readers round.`,
    }) as unknown as z.ZodType<JsonObject, JsonObject>;

export const metadataSchema = boundedObjectSchema(limits.metadataBytes);

export const payloadSchema = boundedObjectSchema(limits.payloadBytes);

function isDistinct(ids: readonly string[]): boolean {
  return new Set(ids).size === ids.length;
}

export const idsSchema = (max: number) =>
  z
    .array(idSchema)
    .max(max)
    .refine(isDistinct, { error: 'an agent is named twice' })
    .meta({ uniqueItems: true });

export const mentionsSchema = idsSchema(limits.mentions);

export const agentKinds = ['agent', 'person', 'service'] as const;
export type AgentKind = (typeof agentKinds)[number];
export const agentKindSchema = z.enum(agentKinds);

/** `hub` is for events that no caller causes. */
export const senderKindSchema = z.enum([...agentKinds, 'hub']);
export type SenderKind = z.infer<typeof senderKindSchema>;

/** Messages that led to this one, in any channel that the sender may read. */
export const causeSchema = z
  .array(idSchema)
  .max(limits.causes)
  .refine(isDistinct, { error: 'a message is named twice' })
  .meta({ uniqueItems: true });

/** Labels that a message adds to the labels of its causes. A label over the limit is `too_large`, not -32602. */
export const taintSchema = z
  .array(
    lineSchema(limits.frameBytes).describe(
      `At most ${limits.taintChars} characters, else too_large.`,
    ),
  )
  .max(limits.ownTaints);

/** Only the hub reports `offline`. */
export const presenceStatuses = ['online', 'away', 'dnd'] as const;

/** An absent param becomes null, so that the hub and the store handle one shape. */
export const orNull = <T extends z.ZodType>(schema: T) => schema.nullable().default(null);

export const cursorSchema = idSchema;

export const pageParams = {
  cursor: orNull(cursorSchema),
  limit: z.int().min(1).max(limits.historyPage).default(limits.defaultPage),
};

/** Null on the last page. */
export const nextCursorSchema = cursorSchema.nullable();

import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { seqSchema, timestampSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';

/**
 * How the hub runs a method:
 * - `write`: the store appends to a channel's log. Writes of one socket on one channel run side by side, in order.
 * - `read`: the store reads, with the caller's rights in the same snapshot.
 * - `live`: presence, typing and the time, which are in no log.
 * - `socket`: it changes the caller's own socket. Over REST the answer is `unsupported`.
 */
export type MethodKind = 'write' | 'read' | 'live' | 'socket';

/** The limit per agent that a method counts against. */
export type MethodLimit = 'message' | 'append' | 'reaction' | 'typing' | 'read';

/** The REST path at which a method is a resource. All methods are also `POST /v1/call/{method}`. */
export interface RestRoute {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/v1`; `:name` is a param. The other params are in the query (GET, DELETE) or the body. */
  readonly path: string;
  /** The HTTP status of a success. @default 200 */
  readonly status?: 201;
}

export interface MethodExample {
  readonly params: Readonly<Record<string, unknown>>;
  readonly result: object;
}

/** The definition of one JSON-RPC method: everything that the hub, clients and specifications know about it. */
export interface MethodDefinition {
  /** One sentence, for the reference. */
  readonly summary: string;
  /** The group under which the specifications list it. */
  readonly tag: string;
  readonly kind: MethodKind;
  readonly limit: MethodLimit;
  /**
   * The param with the ids of the channels for which the hub keeps the order of the calls of one socket. `agentId`
   * stands for the direct channel with that agent. With `messageId`, the call waits only for other calls on the
   * message. Null: the call waits for no other.
   */
  readonly orderedBy:
    'channelId' | 'channelIds' | 'topics' | 'agentId' | 'channelId or agentId' | 'messageId' | null;
  /**
   * The most bytes of an answer, for methods with large answers only. The hub reserves this memory before it reads
   * anything, and runs one such read of a socket at a time. 0 for a write whose answer is small with these params.
   */
  readonly bulky?: number | ((params: never) => number);
  /**
   * True if the call waits for a new event when its param `waitMs` is above 0. Calls of the socket that follow it do
   * not wait for it.
   */
  readonly waits?: true;
  readonly rest?: RestRoute;
  /** The schema of the params, by which the hub parses each call. Unknown names are refused. */
  readonly params: z.ZodObject;
  /** The schema of the result, for documentation and the clients' types. Unknown fields may be added. */
  readonly result: z.ZodType;
  /** The refusals that the method may answer, in addition to those of any method. */
  readonly errors: readonly ErrorCode[];
  readonly examples: readonly [MethodExample, ...MethodExample[]];
}

/** The fields of most writes: they write to one channel and count against the message limit. */
export const write = { kind: 'write', limit: 'message', orderedBy: 'channelId' } as const;

/** The fields that most reads share; each reads one channel. */
export const read = { kind: 'read', limit: 'read', orderedBy: 'channelId' } as const;

const kib = 1024;

/** The most bytes of a page of small rows. */
export const smallPageBytes = 512 * kib;
/** The most bytes of a page of 200 channels: each may have 8 KiB of metadata, escaped. */
export const channelPageBytes = 2_048 * kib;
/** The most bytes of the read state: at most 10,000 channels, of 256 bytes each. */
export const readStateBytes = 2_560 * kib;

/**
 * The schema of a method's params. Unknown names are refused, because a misspelt optional param would otherwise be
 * ignored silently. The error message lists only a few unknown names, so that it stays short.
 */
export const paramsSchema = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown: ${issue.keys
            .slice(0, 5)
            .map((key) => key.slice(0, 32))
            .join(', ')}`
        : undefined,
  });

/** The result of a method that sends a message. */
export const sendResult = z.object({
  messageId: idSchema,
  seq: seqSchema,
  timestamp: timestampSchema,
  duplicate: z.boolean().describe('True: it was stored before, under the same clientMessageId.'),
  unreached: z
    .array(z.string())
    .max(limits.mentions)
    .describe('Mentioned, but no members now; with "@all" when it did not count.'),
});

/** The result of a method that returns nothing. */
export const emptyResult = z.object({});

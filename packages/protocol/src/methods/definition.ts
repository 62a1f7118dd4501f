import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { seqSchema, timestampSchema } from '../fields.ts';
import { idSchema } from '../ids.ts';
import { limits } from '../limits.ts';

/**
 * - `write`: changes the database, mostly by an event in a channel's log. Writes of one socket on one channel run in
 *   order.
 * - `read`: reads, with the caller's rights in the same snapshot.
 * - `live`: presence, typing and the time, which are in no log.
 * - `socket`: changes the caller's own socket. Over REST the answer is `unsupported`.
 */
export type MethodKind = 'write' | 'read' | 'live' | 'socket';

export type MethodLimit = 'message' | 'append' | 'reaction' | 'typing' | 'read';

/** The REST path of a method that acts on a resource. All methods are also `POST /v1/call/{method}`. */
export interface RestRoute {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path below `/v1`, where `:name` is a param. Any other param is in the query (GET, DELETE) or the body. */
  readonly path: string;
  /** @default 200 */
  readonly status?: 201;
}

export interface MethodExample {
  readonly params: Readonly<Record<string, unknown>>;
  readonly result: object;
}

export interface MethodDefinition {
  /** One sentence. */
  readonly summary: string;
  readonly tag: string;
  readonly kind: MethodKind;
  readonly limit: MethodLimit;
  /**
   * The calls of a socket run in order within a channel. This names the param that has the channel or channels.
   * `agentId` stands for the direct channel with that agent. With `messageId`, the call waits only for calls on the
   * same message. Null: the call waits for no other call.
   */
  readonly orderedBy:
    'channelId' | 'channelIds' | 'topics' | 'agentId' | 'channelId or agentId' | 'messageId' | null;
  /**
   * The most bytes of a large answer. The hub reserves this memory before it reads from the store. Of the calls of one
   * socket, it runs only one such read at a time. 0: the answer is small with these params.
   */
  readonly bulky?: number | ((params: never) => number);
  /** With a `waitMs` above 0, the call waits for a new event. Later calls of the socket do not wait for this call. */
  readonly waits?: true;
  readonly rest?: RestRoute;
  /** The schema by which the hub parses the params of a call. Unknown names are refused. */
  readonly params: z.ZodObject;
  /** For documentation and the clients' types. A later release may add fields. */
  readonly result: z.ZodType;
  /** The refusals of this method, besides those that any method has. */
  readonly errors: readonly ErrorCode[];
  readonly examples: readonly [MethodExample, ...MethodExample[]];
}

export const write = { kind: 'write', limit: 'message', orderedBy: 'channelId' } as const;

export const read = { kind: 'read', limit: 'read', orderedBy: 'channelId' } as const;

const kib = 1024;

export const smallPageBytes = 512 * kib;
/** 200 channels with 8 KiB of metadata each, escaped. */
export const channelPageBytes = 2_048 * kib;
/** 10,000 channels of 256 bytes each. */
export const readStateBytes = 2_560 * kib;

/**
 * Refuses unknown names, because a misspelt optional param would be ignored silently. The error lists only a few names.
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

export const emptyResult = z.object({});

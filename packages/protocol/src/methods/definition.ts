import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

/** One JSON-RPC method of the hub. */
export interface MethodDefinition {
  /** One sentence, for the reference. */
  readonly summary: string;
  /** Params, by name; unknown names are refused. The hub parses each call's with it. */
  readonly params: z.ZodObject;
  /** Result: for documentation and the clients' types; unknown fields may be added. */
  readonly result: z.ZodType;
  /** The refusals it may answer, beside those that any method may. */
  readonly errors: readonly ErrorCode[];
}

/**
 * The params of a method: unknown names are refused, since a misspelt optional one would be passed over in silence. The
 * message names a few of them only, so that a bad call is not echoed at length.
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

/** The result of a method that has nothing to say. */
export const emptyResult = z.object({});

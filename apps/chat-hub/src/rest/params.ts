import type { MethodDefinition, RestRoute } from '@openclaw/protocol';
import { z } from 'zod';

/** A route's params, split by where HTTP carries them; null where there are none. */
export interface SplitParams {
  readonly inPath: z.ZodObject | null;
  readonly inQuery: z.ZodObject | null;
  readonly inBody: z.ZodObject | null;
  /**
   * The params in the query, its strings turned into the schema's types; a value that does not fit is left for the
   * schema to refuse. Empty where the params are in the body: the query then holds the sign-in alone.
   */
  coerceQuery(query: Record<string, unknown>): Record<string, unknown>;
}

/** Splits a method's params: those in the path, and the rest in the query (GET, DELETE) or the body. */
export function splitParams(
  { params, examples }: MethodDefinition,
  { verb, path }: RestRoute,
): SplitParams {
  const shape = params.shape as Record<string, z.ZodType>;
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  const pick = (isWanted: (name: string) => boolean) => (fields: object) =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => isWanted(name)));
  const ofPath = pick((name) => names.includes(name));
  const ofRest = pick((name) => !names.includes(name));
  const isQuery = verb === 'GET' || verb === 'DELETE';
  const rest = z.strictObject(ofRest(shape));
  const types = new Map(Object.entries(shape).map(([name, schema]) => [name, typeOf(schema)]));
  return {
    inPath: names.length > 0 ? z.strictObject(ofPath(shape)) : null,
    inQuery: isQuery ? rest : null,
    inBody: isQuery ? null : rest.meta({ examples: examples.map((each) => ofRest(each.params)) }),
    coerceQuery(query) {
      if (!isQuery) return {};
      return Object.fromEntries(
        Object.entries(query)
          .filter(([name]) => Object.hasOwn(shape, name))
          .map(([name, value]) => [name, coerce(value, types.get(name))]),
      );
    },
  };
}

function typeOf(schema: z.ZodType): 'integer' | 'boolean' | 'other' {
  const text = JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  if (text.includes('"integer"')) return 'integer';
  return text.includes('"boolean"') ? 'boolean' : 'other';
}

function coerce(value: unknown, type: 'integer' | 'boolean' | 'other' | undefined): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'integer' && /^\d{1,16}$/.test(value)) return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

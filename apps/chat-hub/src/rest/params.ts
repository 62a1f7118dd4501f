import { agentKindSchema, methods } from '@openclaw/protocol';
import { z } from 'zod';
import type { Route } from './routes.ts';

/** A route's params, split by where HTTP carries them. */
export interface RouteParams {
  readonly path: z.ZodObject;
  readonly query: z.ZodObject | null;
  readonly body: z.ZodObject | null;
  /** Turns the query's strings into what the schema asks for; what does not fit is left for the schema to refuse. */
  coerceQuery(query: Record<string, unknown>): Record<string, unknown>;
}

/** Splits a method's params: those in the path, and the rest in the query (GET, DELETE) or the body. */
export function paramsOf({ verb, path, method }: Route): RouteParams {
  const shape = methods[method].params.shape as Record<string, z.ZodType>;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  const isInPath = (name: string) => inPath.includes(name);
  const pick = (wanted: (name: string) => boolean) =>
    z.strictObject(Object.fromEntries(Object.entries(shape).filter(([name]) => wanted(name))));
  const rest = pick((name) => !isInPath(name));
  const isQuery = verb === 'GET' || verb === 'DELETE';
  const kinds = new Map(Object.entries(shape).map(([name, schema]) => [name, kindOf(schema)]));
  return {
    path: pick(isInPath),
    query: isQuery ? rest : null,
    body: isQuery ? null : rest,
    coerceQuery(query) {
      return Object.fromEntries(
        Object.entries(query)
          .filter(([name, value]) => Object.hasOwn(shape, name) && !isDevKind(name, value))
          .map(([name, value]) => [name, coerce(value, kinds.get(name))]),
      );
    },
  };
}

// In dev mode `?kind=` may tell the caller's kind; channel.list has a param of that name.
function isDevKind(name: string, value: unknown): boolean {
  return name === 'kind' && agentKindSchema.safeParse(value).success;
}

function kindOf(schema: z.ZodType): 'integer' | 'boolean' | 'other' {
  const text = JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  if (text.includes('"integer"')) return 'integer';
  return text.includes('"boolean"') ? 'boolean' : 'other';
}

function coerce(value: unknown, kind: 'integer' | 'boolean' | 'other' | undefined): unknown {
  if (typeof value !== 'string') return value;
  if (kind === 'integer' && /^\d{1,16}$/.test(value)) return Number(value);
  if (kind === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

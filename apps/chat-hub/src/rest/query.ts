import { agentKindSchema } from '@openclaw/protocol';
import { z } from 'zod';

type ParamType = 'integer' | 'boolean' | 'other';

/**
 * Creates a reader of a method's params from a query: strings become the schema's types. A value that does not fit is
 * left for the schema to refuse; names that are not params are ignored.
 */
export function createQueryReader(
  params: z.ZodObject,
): (query: Record<string, unknown>) => Record<string, unknown> {
  const shape = params.shape as Record<string, z.ZodType>;
  const types = new Map(Object.entries(shape).map(([name, schema]) => [name, typeOf(schema)]));
  return (query) =>
    Object.fromEntries(
      Object.entries(query).flatMap(([name, value]) => {
        const type = types.get(name);
        return type === undefined || isDevKind(name, value) ? [] : [[name, coerce(value, type)]];
      }),
    );
}

// In dev mode `?kind=` may name the caller's kind, but channel.list has a param of the same name.
function isDevKind(name: string, value: unknown): boolean {
  return name === 'kind' && agentKindSchema.safeParse(value).success;
}

function typeOf(schema: z.ZodType): ParamType {
  const text = JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  if (text.includes('"integer"')) return 'integer';
  return text.includes('"boolean"') ? 'boolean' : 'other';
}

function coerce(value: unknown, type: ParamType): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'integer' && /^\d{1,16}$/.test(value)) return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

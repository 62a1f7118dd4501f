import { encodeInboxCursor, encodeListCursor, methods, type MethodName } from '@openclaw/protocol';
import fc from 'fast-check';
import { z } from 'zod';
import { mutate, mutation } from './fuzz-values.ts';

export interface MethodCall {
  readonly method: MethodName;
  readonly params: unknown;
}

export const references = ['$public', '$private', '$message', '$owner', '$other'] as const;

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

const mentionPiece = fc.constantFrom(
  ...['@all', '@owner', '@a.-', ' ', '`', '\n```\n', '> ', '[', '](x)', 'http://', '\\', '_'],
);
const channels = fc.constantFrom('$public', '$public', '$private', 'nowhere');
const known: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  channelId: channels,
  channelIds: channels,
  agentId: fc.constantFrom('$owner', '$other', 'nobody'),
  mentions: fc.constantFrom('$owner', '$other', 'nobody'),
  messageId: fc.constantFrom('$message', '$message', 'nowhere'),
  threadId: fc.constantFrom('$message', 'nowhere'),
  emoji: fc.constantFrom('👍', ':ok:', 'valid'),
  clientMessageId: fc.constantFrom('c1', 'c2'),
  cursor: fc.constantFrom(
    ...['$public', '$owner', 'zzz'],
    ...[encodeListCursor({ by: 'x', id: 'zzz' }), encodeListCursor({ by: 1, id: 'zzz' })],
    encodeInboxCursor({ scope: 'zzz', place: 9, next: 9, open: [1, 7] }),
  ),
  content: fc.oneof(
    fc.string({ minLength: 1, maxLength: 40 }),
    fc.array(mentionPiece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join('')),
  ),
  metadata: fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue(), { maxKeys: 3 }),
  payload: fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue(), { maxKeys: 3 }),
};

function valueOf(schema: Schema, name: string): fc.Arbitrary<unknown> {
  const least = schema.minimum ?? 0;
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((option) => valueOf(option, name)));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      // Short, because longer waits find no more faults.
      if (name === 'waitMs') return fc.constantFrom(0, 1, 30);
      return fc.oneof(
        fc.integer({ min: least, max: Math.min(schema.maximum ?? Infinity, least + 30) }),
        fc.constantFrom(least, schema.maximum ?? Number.MAX_SAFE_INTEGER),
      );
    case 'array':
      return fc.array(valueOf(schema.items ?? {}, name), { maxLength: 4 });
    case 'object':
      return schema.properties ? objectOf(schema) : (known[name] ?? fc.constant({}));
    default:
      return (
        known[name] ?? fc.string({ minLength: 1, maxLength: Math.min(schema.maxLength ?? 40, 40) })
      );
  }
}

function objectOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<object> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, valueOf(schema, name)]),
  );
  const requiredKeys = required.filter((name) => name in fields);
  return fc.record(fields, { requiredKeys, noNullPrototype: true });
}

const names = Object.keys(methods) as MethodName[];
const paramsOf = new Map(
  names.map((name) => [
    name,
    objectOf(
      z.toJSONSchema(methods[name].params, { io: 'input', unrepresentable: 'any' }) as Schema,
    ),
  ]),
);

export const callsOf = (method: MethodName): fc.Arbitrary<MethodCall> =>
  fc
    .tuple(paramsOf.get(method) ?? fc.constant({}), fc.array(mutation, { maxLength: 2 }))
    .map(([params, mutations]) => {
      const mutated = structuredClone(params) as Record<string, unknown>;
      for (const each of mutations) mutate(mutated, each);
      return { method, params: mutated };
    });

export const methodCall: fc.Arbitrary<MethodCall> = fc.constantFrom(...names).chain(callsOf);

export function fillIn(value: unknown, meanings: Readonly<Record<string, string>>): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'string' ? (meanings[item] ?? item) : item,
  );
}

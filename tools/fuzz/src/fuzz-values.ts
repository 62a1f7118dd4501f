import fc from 'fast-check';
import { invalidIds, awkwardTexts } from './corpus/texts.ts';

const numbers = [-1, -0, 0.5, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 2 ** 63];

/** JSON.parse creates `__proto__` as an own key, but in an object literal the key would set the prototype. */
const prototypeKeys = fc
  .tuple(fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString'), fc.jsonValue())
  .map(([key, value]) => JSON.parse(`{"${key}":${JSON.stringify(value)}}`) as unknown);

export const fuzzText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...awkwardTexts, ...invalidIds),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer({ min: 100, max: 40_000 }).map((length) => 'x'.repeat(length)),
);

export const fuzzValue: fc.Arbitrary<unknown> = fc.oneof(
  fuzzText,
  fc.constantFrom(...numbers),
  fc.constantFrom(null, true, false, [], {}),
  fc.jsonValue({ maxDepth: 4 }),
  prototypeKeys,
  fc.integer({ min: 1, max: 400 }).map(nested),
  fc
    .tuple(fc.integer({ min: 2, max: 3_000 }), fc.constantFrom<unknown>(0, 'a', {}, null))
    .map(([length, item]) => Array<unknown>(length).fill(item)),
);

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** `position`, modulo the number of locations in a value, chooses the changed location. */
export interface Mutation {
  readonly position: number;
  readonly kind: 'drop' | 'replace' | 'add' | 'repeat';
  readonly value: unknown;
  readonly key: string;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  position: fc.nat(1_000),
  kind: fc.constantFrom('drop', 'replace', 'replace', 'replace', 'add', 'repeat'),
  value: fuzzValue,
  key: fc.oneof(fc.constantFrom('__proto__', 'constructor', 'seq', 'senderId'), fuzzText),
});

export function mutate(
  root: Record<string, unknown>,
  { position: place, kind, value, key }: Mutation,
): void {
  const places = locationsOf(root);
  const at = places[place % Math.max(1, places.length)];
  if (!at || kind === 'add') set(root, key, value);
  else if (kind === 'drop') delete at.holder[at.key];
  else if (kind === 'repeat') at.holder[at.key] = Array<unknown>(50).fill(at.holder[at.key]);
  else set(at.holder, at.key, value);
}

// A plain assignment to __proto__ would set the prototype, and JSON.stringify would leave it out.
function set(holder: Record<string, unknown>, key: string, value: unknown): void {
  const own = { value, enumerable: true, configurable: true, writable: true };
  Object.defineProperty(holder, key, own);
}

interface Location {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function locationsOf(value: unknown, levels = 4): Location[] {
  if (typeof value !== 'object' || value === null || levels === 0) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder)
    .slice(0, 20)
    .flatMap((key) => [{ holder, key }, ...locationsOf(holder[key], levels - 1)]);
}

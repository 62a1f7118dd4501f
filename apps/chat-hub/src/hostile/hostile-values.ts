import fc from 'fast-check';
import { hostileIds, hostileTexts } from './corpus/texts.ts';

const numbers = [-1, -0, 0.5, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 2 ** 63];

/** An object whose own key is one that prototypes have: only a parser makes it, never a literal. */
const prototypeKeys = fc
  .tuple(fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString'), fc.jsonValue())
  .map(([key, value]) => JSON.parse(`{"${key}":${JSON.stringify(value)}}`) as unknown);

/** Texts that have broken others, or any. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...hostileTexts, ...hostileIds),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer({ min: 100, max: 40_000 }).map((length) => 'x'.repeat(length)),
);

/** Any value that JSON can say, the worst first. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
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

/** How to spoil one place of a value; the place is picked among all by its number. */
export interface Mutation {
  readonly place: number;
  readonly kind: 'drop' | 'replace' | 'add' | 'repeat';
  readonly value: unknown;
  readonly key: string;
}

/** Any mutation. */
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  place: fc.nat(1_000),
  kind: fc.constantFrom('drop', 'replace', 'replace', 'replace', 'add', 'repeat'),
  value: hostileValue,
  key: fc.oneof(fc.constantFrom('__proto__', 'constructor', 'seq', 'senderId'), hostileText),
});

/** Spoils a JSON value in place. */
export function mutate(root: Record<string, unknown>, { place, kind, value, key }: Mutation): void {
  const places = placesOf(root);
  const at = places[place % Math.max(1, places.length)];
  if (!at || kind === 'add') set(root, key, value);
  else if (kind === 'drop') delete at.holder[at.key];
  else if (kind === 'repeat') at.holder[at.key] = Array<unknown>(50).fill(at.holder[at.key]);
  else set(at.holder, at.key, value);
}

// A plain assignment to __proto__ would set the prototype, and send nothing.
function set(holder: Record<string, unknown>, key: string, value: unknown): void {
  const own = { value, enumerable: true, configurable: true, writable: true };
  Object.defineProperty(holder, key, own);
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function placesOf(value: unknown, levels = 4): Place[] {
  if (typeof value !== 'object' || value === null || levels === 0) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder)
    .slice(0, 20)
    .flatMap((key) => [{ holder, key }, ...placesOf(holder[key], levels - 1)]);
}

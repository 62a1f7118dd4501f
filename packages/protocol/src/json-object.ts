import { limits } from './limits.ts';
import { exceedsBytes, isStorableText } from './text.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}

const prototypeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The bytes of the limit that are left. Each value subtracts the fewest bytes that it can take, so a huge value is
 * refused before it is read completely.
 */
interface Budget {
  bytes: number;
}

export interface JsonProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A longer key is cut in a path, so that the answer to a bad call stays short. */
const maxPathKeyChars = 64;

/**
 * Null for a JSON object of bounded depth and bytes, with storable text, exact numbers, and no keys that reach a
 * prototype.
 */
export function jsonObjectProblem(value: unknown, maxBytes: number): JsonProblem | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return problem('not an object');
  const budget = { bytes: maxBytes };
  const found = containerProblem(value, limits.jsonDepth, budget);
  if (found !== null) return found;
  return budget.bytes < 0 || exceedsBytes(JSON.stringify(value), maxBytes)
    ? problem(`over ${maxBytes} bytes as JSON`)
    : null;
}

function problem(message: string): JsonProblem {
  return { path: [], message };
}

function under(key: string | number, found: JsonProblem | null): JsonProblem | null {
  if (found === null) return null;
  const step = typeof key === 'string' ? key.slice(0, maxPathKeyChars).toWellFormed() : key;
  return { ...found, path: [step, ...found.path] };
}

function containerProblem(
  container: object,
  depthLeft: number,
  budget: Budget,
): JsonProblem | null {
  if (depthLeft === 0) return problem(`more than ${limits.jsonDepth} levels deep`);
  if (Array.isArray(container)) {
    for (const [index, item] of (container as unknown[]).entries()) {
      if (budget.bytes < 0) return null;
      const found = under(index, valueProblem(item, depthLeft - 1, budget));
      if (found !== null) return found;
    }
    return null;
  }
  // Object.entries would also read the keys past the budget.
  for (const key in container) {
    if (budget.bytes < 0) return null;
    if (prototypeKeys.has(key)) return problem(`the key ${key} is not allowed`);
    const item = (container as Record<string, unknown>)[key];
    const found = under(
      key,
      valueProblem(key, depthLeft, budget) ?? valueProblem(item, depthLeft - 1, budget),
    );
    if (found !== null) return found;
  }
  return null;
}

function valueProblem(value: unknown, depthLeft: number, budget: Budget): JsonProblem | null {
  // Each value takes at least one byte and a separator.
  budget.bytes -= 2;
  switch (typeof value) {
    case 'boolean':
      return null;
    case 'number':
      return numberProblem(value);
    case 'string':
      budget.bytes -= value.length;
      if (budget.bytes < 0) return null;
      return isStorableText(value) ? null : problem('text with U+0000 or half a surrogate pair');
    case 'object':
      return value === null ? null : containerProblem(value, depthLeft, budget);
    default:
      return problem(`not JSON: ${typeof value}`);
  }
}

// The parser has rounded integers beyond 2^53 - 1, so the sender's digits are lost. After parsing, 1e300 cannot be told
// from an id of 301 digits, so both are refused.
function numberProblem(value: number): JsonProblem | null {
  if (Number.isNaN(value)) return problem('a number that JSON cannot hold');
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER
    ? null
    : problem('a number beyond 2^53 - 1, which JSON readers round: send it as a string');
}

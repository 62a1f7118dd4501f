import { limits } from './limits.ts';
import { exceedsBytes, isStorableText } from './text.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}

const prototypeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The remaining bytes, by a lower bound of the values walked so far. A huge value is refused before it is walked
 * completely.
 */
interface Budget {
  bytes: number;
}

/**
 * Returns the problem of a value that should be a JSON object of bounded depth and bytes, with storable text and
 * without keys that reach a prototype; null if there is none.
 */
export function jsonObjectProblem(value: unknown, maxBytes: number): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const budget = { bytes: maxBytes };
  const problem = containerProblem(value, limits.jsonDepth, budget);
  if (problem !== null) return problem;
  return budget.bytes < 0 || exceedsBytes(JSON.stringify(value), maxBytes)
    ? `over ${maxBytes} bytes as JSON`
    : null;
}

function containerProblem(container: object, depthLeft: number, budget: Budget): string | null {
  if (depthLeft === 0) return `more than ${limits.jsonDepth} levels deep`;
  if (Array.isArray(container)) {
    for (const item of container as unknown[]) {
      if (budget.bytes < 0) return null;
      const problem = valueProblem(item, depthLeft - 1, budget);
      if (problem !== null) return problem;
    }
    return null;
  }
  // Uses for…in because Object.entries would also read the keys past the budget.
  for (const key in container) {
    if (budget.bytes < 0) return null;
    if (prototypeKeys.has(key)) return `the key ${key} is not allowed`;
    const item = (container as Record<string, unknown>)[key];
    const problem =
      valueProblem(key, depthLeft, budget) ?? valueProblem(item, depthLeft - 1, budget);
    if (problem !== null) return problem;
  }
  return null;
}

function valueProblem(value: unknown, depthLeft: number, budget: Budget): string | null {
  // Each value takes at least one byte and a separator.
  budget.bytes -= 2;
  switch (typeof value) {
    case 'boolean':
      return null;
    case 'number':
      return Number.isFinite(value) ? null : 'a number that JSON cannot hold';
    case 'string':
      budget.bytes -= value.length;
      if (budget.bytes < 0) return null;
      return isStorableText(value) ? null : 'text with U+0000 or half a surrogate pair';
    case 'object':
      return value === null ? null : containerProblem(value, depthLeft, budget);
    default:
      return `not JSON: ${typeof value}`;
  }
}

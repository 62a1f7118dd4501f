import { ttlMs } from '@openclaw/key-schema';
import { TypingError } from './errors.ts';

/** Options of typing. All times are milliseconds. */
export interface TypingOptions {
  /** For how long an agent counts as typing after it last said so. The same for all who share a Redis. @default 10000 */
  readonly ttlMs?: number;
  /** The time, instead of Redis' own (and, in memory, this process'). For tests. */
  readonly clock?: () => number;
  /** The most agents remembered in memory; past it the one that has not typed for longest is forgotten. @default 100000 */
  readonly maxTypers?: number;
}

/** Options of {@link createTypingWatch}. */
export interface TypingWatchOptions {
  /** For how long after a start nobody is asked. @default 10000 */
  readonly ttlMs?: number;
  /** How often what is due is looked at; bounds how late a stop is told. @default 250 */
  readonly tickMs?: number;
  /** The most agents watched; past it the one watched for longest is told to have stopped. @default 10000 */
  readonly maxWatched?: number;
  /** Runs evenly; its zero does not matter. @default performance.now */
  readonly clock?: () => number;
}

/** The defaults of all options that have one. */
export const typingDefaults = {
  ttlMs: ttlMs.typing,
  maxTypers: 100_000,
  tickMs: 250,
  maxWatched: 10_000,
} as const;

/** The numbers among the options, each given or by default. @throws {TypingError} `invalid_options` */
export function parseOptions(options: TypingOptions & TypingWatchOptions): {
  -readonly [name in keyof typeof typingDefaults]: number;
} {
  const parsed: Record<keyof typeof typingDefaults, number> = { ...typingDefaults };
  for (const name of Object.keys(typingDefaults) as (keyof typeof typingDefaults)[]) {
    const value = options[name] ?? typingDefaults[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypingError('invalid_options', `${name} must be a positive integer`);
    }
    parsed[name] = value;
  }
  return parsed;
}

import { ttlMs } from '@openclaw/key-schema';
import { resolveOptions } from '@openclaw/redis-client';
import { TypingError } from './errors.ts';

export interface TypingOptions {
  /**
   * How long an agent counts as typing after a start. All processes that share a Redis must use the same value.
   * @default 10000
   */
  readonly ttlMs?: number;
  /** Returns the time in ms. Default: the time of Redis, or of this process when it runs in memory. For tests. */
  readonly clock?: () => number;
  /** The most agents in memory; beyond it the one whose last start is oldest is forgotten. @default 100000 */
  readonly maxTypers?: number;
}

export interface TypingWatchOptions {
  /** How long after a start the watch checks whether the agent is still typing. @default 10000 */
  readonly ttlMs?: number;
  /** How often the watch looks for agents to check. An end is reported at most this much late. @default 250 */
  readonly tickMs?: number;
  /** The most agents that are watched; beyond it, the agent that was watched for longest is reported as expired. @default 10000 */
  readonly maxWatched?: number;
  /** Monotonic milliseconds. @default performance.now */
  readonly clock?: () => number;
}

/** Options of {@link createTurnStates}. */
export interface TurnStateOptions {
  /** How long a turn lasts without a renewal. All processes that share a Redis must use the same value. @default 30000 */
  readonly leaseMs?: number;
  /**
   * The most turns of a channel in Redis, and of this process in memory. Beyond it, those that end first are removed.
   * @default 10000
   */
  readonly maxTurns?: number;
  /** Returns the time in ms. Default: the time of Redis, or of this process when it runs in memory. For tests. */
  readonly clock?: () => number;
}

const turnDefaults = { leaseMs: ttlMs.turns, maxTurns: 10_000 } as const;

/** @throws {TypingError} `invalid_options` */
export function parseTurnOptions(options: TurnStateOptions) {
  return resolveOptions<Record<keyof typeof turnDefaults, number>>(
    turnDefaults,
    options,
    TypingError,
  );
}

export const typingDefaults = {
  ttlMs: ttlMs.typing,
  maxTypers: 100_000,
  tickMs: 250,
  maxWatched: 10_000,
} as const;

/** The numeric options with their defaults. @throws {TypingError} `invalid_options` */
export function parseOptions(options: TypingOptions & TypingWatchOptions) {
  return resolveOptions<Record<keyof typeof typingDefaults, number>>(
    typingDefaults,
    options,
    TypingError,
  );
}

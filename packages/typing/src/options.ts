import { ttlMs } from '@openclaw/key-schema';
import { resolveOptions } from '@openclaw/redis-client';
import { TypingError } from './errors.ts';

export interface TypingOptions {
  /**
   * How long an agent counts as typing after a start. All processes on one Redis need the same value.
   * @default 10000
   */
  readonly ttlMs?: number;
  /** Epoch milliseconds. Replaces the clock of Redis, and for state in memory the clock of this process. For tests. */
  readonly clock?: () => number;
  /**
   * The most entries in memory, one for each agent and channel or thread. Beyond this number, the entry whose last start
   * is oldest is removed.
   * @default 100000
   */
  readonly maxTypers?: number;
}

export interface TypingWatchOptions {
  /** How long after a start the watch checks whether the agent still types. @default 10000 */
  readonly ttlMs?: number;
  /** The time between two checks. The end of typing may be reported this much too late. @default 250 */
  readonly tickMs?: number;
  /**
   * The most watched agents. Beyond this number, the agent watched longest is reported as expired.
   * @default 10000
   */
  readonly maxWatched?: number;
  /** Monotonic milliseconds. @default performance.now */
  readonly clock?: () => number;
}

export interface TurnStateOptions {
  /** How long a turn lasts without a renewal. All processes on one Redis need the same value. @default 30000 */
  readonly leaseMs?: number;
  /**
   * The most turns that are kept: for each channel in Redis, for each process in memory. Beyond this number, the turns
   * that end first are removed.
   * @default 10000
   */
  readonly maxTurns?: number;
  /** Epoch milliseconds. Replaces the clock of Redis, and for state in memory the clock of this process. For tests. */
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

/** @throws {TypingError} `invalid_options` */
export function parseOptions(options: TypingOptions & TypingWatchOptions) {
  return resolveOptions<Record<keyof typeof typingDefaults, number>>(
    typingDefaults,
    options,
    TypingError,
  );
}

import { isNameId } from '@openclaw/key-schema';
import { RateLimitError } from './errors.ts';

/** At most `limit` requests in any `windowMs`. */
export interface Limit {
  /** An integer from 1 to 1,000,000,000. */
  readonly limit: number;
  /** An integer from 100 to 86,400,000 (a day), in milliseconds. */
  readonly windowMs: number;
}

/** The limit of each action. The action is part of a Redis key: letters, digits and `._@|~-`. */
export type Limits<Action extends string = string> = Readonly<Record<Action, Limit>>;

const maxLimit = 1_000_000_000;
const minWindowMs = 100;
const maxWindowMs = 86_400_000;
const slicesPerWindow = 60;

/** The width of a window's slices: a sixtieth of it, rounded up to whole milliseconds (1 s of a minute). */
export function sliceMsOf({ windowMs }: Limit): number {
  return Math.ceil(windowMs / slicesPerWindow);
}

/**
 * Parses `count/seconds`: `'600/60'` → `{limit: 600, windowMs: 60000}`.
 * @throws {RateLimitError} `invalid_limit` for anything else.
 */
export function parseLimit(text: string): Limit {
  const [, count, seconds] = /^\s*(\d{1,10})\s*\/\s*(\d{1,5})\s*$/.exec(text) ?? [];
  const limit = { limit: Number(count), windowMs: Number(seconds) * 1000 };
  const problem = problemOf(limit);
  if (problem !== null) {
    throw new RateLimitError(
      'invalid_limit',
      `a limit must be count/seconds, such as 600/60 (at most ${maxLimit} in 1 to ${maxWindowMs / 1000} seconds), not ${JSON.stringify(text)}`,
    );
  }
  return limit;
}

/** Returns the limits if all are valid. @throws {RateLimitError} `invalid_options` */
export function checkLimits<Action extends string>(limits: Limits<Action>): Limits<Action> {
  for (const [action, limit] of Object.entries<Limit>(limits)) {
    if (!isNameId(action)) {
      throw new RateLimitError('invalid_options', `not a valid action: ${JSON.stringify(action)}`);
    }
    const problem = problemOf(limit);
    if (problem !== null)
      throw new RateLimitError('invalid_options', `limits.${action}: ${problem}`);
  }
  return limits;
}

function problemOf({ limit, windowMs }: Limit): string | null {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    return `limit must be an integer from 1 to ${maxLimit}`;
  }
  if (!Number.isInteger(windowMs) || windowMs < minWindowMs || windowMs > maxWindowMs) {
    return `windowMs must be an integer from ${minWindowMs} to ${maxWindowMs}`;
  }
  return null;
}

/** @throws {RateLimitError} `unknown_action` */
export function limitOf(limits: Limits, action: string): Limit {
  const limit = Object.hasOwn(limits, action) ? limits[action] : undefined;
  if (limit === undefined) throw unknownAction(action);
  return limit;
}

export function unknownAction(action: string): RateLimitError {
  return new RateLimitError(
    'unknown_action',
    `there is no limit for ${JSON.stringify(action).slice(0, 160)}`,
  );
}

/** @throws {RateLimitError} `invalid_agent` */
export function checkAgentId(agentId: string): void {
  if (!isNameId(agentId)) {
    throw new RateLimitError(
      'invalid_agent',
      `not a valid agentId: ${JSON.stringify(agentId).slice(0, 160)}`,
    );
  }
}

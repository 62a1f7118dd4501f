import { isNameId } from '@openclaw/key-schema';
import { RateLimitError } from './errors.ts';

/** At most `limit` requests in any `windowMs`. */
export interface Limit {
  /** An integer from 1 to 1,000,000,000. */
  readonly limit: number;
  /** An integer from 100 to 86,400,000 (a day), in milliseconds. */
  readonly windowMs: number;
}

/** The limit of each action. An action's name stands in a Redis key: letters, digits and `._@|~-`. */
export type Limits<Action extends string = string> = Readonly<Record<Action, Limit>>;

const maxLimit = 1_000_000_000;
const minWindowMs = 100;
const maxWindowMs = 86_400_000;
const slicesPerWindow = 60;

/** How finely a window slides: a sixtieth of it, rounded up to whole milliseconds (1 s of a minute). */
export function sliceMsOf({ windowMs }: Limit): number {
  return Math.ceil(windowMs / slicesPerWindow);
}

/**
 * Reads `count/seconds`: `'600/60'` → `{limit: 600, windowMs: 60000}`.
 * @throws {RateLimitError} `invalid_limit` for anything else.
 */
export function parseLimit(text: string): Limit {
  const [, count, seconds] = /^\s*(\d{1,10})\s*\/\s*(\d{1,5})\s*$/.exec(text) ?? [];
  const limit = { limit: Number(count), windowMs: Number(seconds) * 1000 };
  const fault = faultOf(limit);
  if (fault !== null) {
    throw new RateLimitError(
      'invalid_limit',
      `a limit is written count/seconds, such as 600/60 (at most ${maxLimit} in 1 to ${maxWindowMs / 1000} seconds), not ${JSON.stringify(text)}`,
    );
  }
  return limit;
}

/** The limits as they came, when each can be kept. @throws {RateLimitError} `invalid_options` */
export function checkLimits<Action extends string>(limits: Limits<Action>): Limits<Action> {
  for (const [action, limit] of Object.entries<Limit>(limits)) {
    if (!isNameId(action)) {
      throw new RateLimitError(
        'invalid_options',
        `not usable as an action: ${JSON.stringify(action)}`,
      );
    }
    const fault = faultOf(limit);
    if (fault !== null) throw new RateLimitError('invalid_options', `limits.${action}: ${fault}`);
  }
  return limits;
}

function faultOf({ limit, windowMs }: Limit): string | null {
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

/** What is thrown for an action without a limit. */
export function unknownAction(action: string): RateLimitError {
  return new RateLimitError(
    'unknown_action',
    `no limit was given for ${JSON.stringify(action).slice(0, 160)}`,
  );
}

/** @throws {RateLimitError} `invalid_agent` */
export function checkAgentId(agentId: string): void {
  if (!isNameId(agentId)) {
    throw new RateLimitError(
      'invalid_agent',
      `not usable as an agentId: ${JSON.stringify(agentId).slice(0, 160)}`,
    );
  }
}

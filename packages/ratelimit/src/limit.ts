import { isNameId } from '@openclaw/key-schema';
import { RateLimitError } from './errors.ts';

export interface Limit {
  /** An integer from 1 to 1,000,000,000. */
  readonly limit: number;
  /** An integer from 100 to 86,400,000 (a day), in milliseconds. */
  readonly windowMs: number;
}

/** The limit of each action. An action's name has letters, digits and `._@|~-`. */
export type Limits<Action extends string = string> = Readonly<Record<Action, Limit>>;

export interface Decision {
  /** An allowed request is counted; a refused one is not. */
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /**
   * Milliseconds until the oldest counted requests leave the window; 0 when none is counted. For a refused request, the
   * same as `retryAfterMs`.
   */
  readonly resetMs: number;
  /** Milliseconds until this request would be allowed; 0 if it was allowed. */
  readonly retryAfterMs: number;
  /** True if this process decided alone, because Redis is away or refuses to count. Always false without Redis. */
  readonly degraded: boolean;
}

/** Also the highest penalty. */
const maxLimit = 1_000_000_000;
const minWindowMs = 100;
export const maxWindowMs = 86_400_000;
const slicesPerWindow = 60;

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
  if (problemOf(limit)) {
    throw new RateLimitError(
      'invalid_limit',
      `a limit must be count/seconds, such as 600/60 (at most ${maxLimit} in 1 to ${maxWindowMs / 1000} seconds), not ${JSON.stringify(text)}`,
    );
  }
  return limit;
}

/** @throws {RateLimitError} `invalid_options` */
export function checkLimits<Action extends string>(limits: Limits<Action>): Limits<Action> {
  for (const [action, limit] of Object.entries<Limit>(limits)) {
    if (!isNameId(action)) {
      throw new RateLimitError('invalid_options', `not a valid action: ${JSON.stringify(action)}`);
    }
    const problem = problemOf(limit);
    if (problem) throw new RateLimitError('invalid_options', `limits.${action}: ${problem}`);
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
  return (Object.hasOwn(limits, action) ? limits[action] : undefined) ?? throwUnknown(action);
}

export function throwUnknown(action: string): never {
  throw new RateLimitError('unknown_action', `there is no limit for ${shown(action)}`);
}

/** @throws {RateLimitError} `invalid_agent` */
export function checkAgentId(agentId: string): void {
  if (isNameId(agentId)) return;
  throw new RateLimitError('invalid_agent', `not a valid agentId: ${shown(agentId)}`);
}

/** @throws {RateLimitError} `invalid_cost` for a cost that no window could allow */
export function checkCost(cost: number, { limit }: Limit): void {
  if (Number.isInteger(cost) && cost >= 1 && cost <= limit) return;
  throw new RateLimitError('invalid_cost', `a cost is an integer from 1 to the limit, ${limit}`);
}

/** @throws {RateLimitError} `invalid_cost` */
export function checkPenalty(requests: number): void {
  if (Number.isInteger(requests) && requests >= 1 && requests <= maxLimit) return;
  throw new RateLimitError('invalid_cost', `a penalty is an integer from 1 to ${maxLimit}`);
}

/** @throws {RateLimitError} `invalid_block` */
export function checkBlock(forMs: number): void {
  if (Number.isInteger(forMs) && forMs >= 0 && forMs <= maxWindowMs) return;
  throw new RateLimitError('invalid_block', `a block lasts from 0 to ${maxWindowMs} ms`);
}

const shown = (value: unknown) =>
  typeof value === 'string'
    ? JSON.stringify(value).slice(0, 160)
    : `a value of type ${typeof value}`;

/** `count` includes this request if it was allowed. */
export function toDecision(
  { limit }: Limit,
  allowed: boolean,
  count: number,
  resetMs: number,
  degraded = false,
): Decision {
  return {
    allowed,
    limit,
    remaining: Math.max(0, limit - count),
    resetMs,
    retryAfterMs: allowed ? 0 : resetMs,
    degraded,
  };
}

/** The decision of `whenAway: 'allow'` or `'refuse'`. A refused client may retry after 1 s. */
export function uncountedDecision(limit: Limit, allowed: boolean): Decision {
  return allowed
    ? toDecision(limit, true, 0, 0, true)
    : toDecision(limit, false, limit.limit, 1000, true);
}

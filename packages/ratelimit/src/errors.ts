import { CodedError } from '@openclaw/redis-client';

/**
 * - `invalid_options`: at creation.
 * - `invalid_limit`: a text that {@link parseLimit} cannot read.
 * - `unknown_action`: an action without a limit.
 * - `invalid_agent`: an agentId that cannot be part of a Redis key; see {@link idOf}.
 * - `invalid_cost`: a cost that is no integer from 1 to the limit, or a penalty that is no positive integer.
 * - `invalid_block`: a block that is not from 0 ms to a day.
 */
export type RateLimitErrorCode =
  | 'invalid_options'
  | 'invalid_limit'
  | 'unknown_action'
  | 'invalid_agent'
  | 'invalid_cost'
  | 'invalid_block';

/** Branch on `code`. A refused request is a value, not an error. */
export class RateLimitError extends CodedError<RateLimitErrorCode> {
  override readonly name = 'RateLimitError';
}

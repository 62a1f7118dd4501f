import { CodedError } from '@openclaw/redis-client';

/**
 * - `invalid_options`: at creation.
 * - `invalid_limit`: a text that {@link parseLimit} cannot read.
 * - `unknown_action`: an action without a limit.
 * - `invalid_agent`: an agentId that cannot be part of a Redis key.
 */
export type RateLimitErrorCode =
  'invalid_options' | 'invalid_limit' | 'unknown_action' | 'invalid_agent';

/** The error of this package; branch on `code`. A refused request is a value, not an error. */
export class RateLimitError extends CodedError<RateLimitErrorCode> {
  override readonly name = 'RateLimitError';
}

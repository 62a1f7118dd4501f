import type { MethodLimit } from '@openclaw/protocol';
import type { LocalRateLimiter } from '@openclaw/ratelimit';

/** Everything that has an allowance per agent: calls of methods, and what they create. */
export type LimitedAction = MethodLimit | 'create';

/** The hub's limiter: it counts in this process and exchanges its counts with Redis in the background. */
export type Limiter = LocalRateLimiter<LimitedAction>;

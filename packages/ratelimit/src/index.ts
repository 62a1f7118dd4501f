export { createMemoryRateLimiter, createRateLimiter } from './exact-limiter.ts';
export type { RateLimiter, RateLimiterDeps } from './exact-limiter.ts';
export { RateLimitError } from './errors.ts';
export type { RateLimitErrorCode } from './errors.ts';
export { fastifyRateLimit, httpRateLimit, nodeRateLimit, rateLimitHeaders } from './http.ts';
export type {
  Consumer,
  FastifyReplyLike,
  HttpRateLimit,
  HttpRateLimitOptions,
  NodeResponse,
  RateLimitProblem,
} from './http.ts';
export { idOf } from './id-of.ts';
export { parseLimit } from './limit.ts';
export type { Decision, Limit, Limits } from './limit.ts';
export { createLocalRateLimiter } from './local-limiter.ts';
export type { LocalRateLimiter, LocalRateLimiterStats } from './local-limiter.ts';
export { methodRateLimit } from './method.ts';
export type { MethodConsumer, MethodRefusal } from './method.ts';
export { rateLimiterDefaults } from './options.ts';
export type { LocalRateLimiterOptions, RateLimiterOptions, WhenAway } from './options.ts';

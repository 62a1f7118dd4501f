import type { Decision } from './limit.ts';

/** A refused method call, as a value and not as an error. */
export interface MethodRefusal {
  readonly code: 'rate_limited';
  /** Milliseconds until the call would be allowed. */
  readonly retryAfterMs: number;
}

/** The part of a limiter that {@link methodRateLimit} needs. */
export interface MethodConsumer<
  Action extends string,
  Answer extends Decision | Promise<Decision>,
> {
  consume(action: Action, agentId: string): Answer;
}

/**
 * Creates a check for method calls. It returns null for an allowed call, else the refusal. `actionOf` returns the
 * action whose limit applies to a method, or null for a method that is not limited. Synchronous with the local limiter.
 */
export function methodRateLimit<Action extends string, Method extends string = string>(
  limiter: MethodConsumer<Action, Decision>,
  actionOf: (method: Method) => Action | null,
): (method: Method, agentId: string) => MethodRefusal | null;
/** With the exact limiter the check is asynchronous: one round trip per limited call. */
export function methodRateLimit<Action extends string, Method extends string = string>(
  limiter: MethodConsumer<Action, Promise<Decision>>,
  actionOf: (method: Method) => Action | null,
): (method: Method, agentId: string) => Promise<MethodRefusal | null>;
export function methodRateLimit<Action extends string>(
  limiter: MethodConsumer<Action, Decision | Promise<Decision>>,
  actionOf: (method: string) => Action | null,
): (method: string, agentId: string) => MethodRefusal | null | Promise<MethodRefusal | null> {
  return (method, agentId) => {
    const action = actionOf(method);
    if (action === null) return null;
    const answer = limiter.consume(action, agentId);
    return answer instanceof Promise ? answer.then(toRefusal) : toRefusal(answer);
  };
}

function toRefusal({ allowed, retryAfterMs }: Decision): MethodRefusal | null {
  return allowed ? null : { code: 'rate_limited', retryAfterMs };
}

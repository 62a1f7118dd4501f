import type { Decision } from './limit.ts';

export interface MethodRefusal {
  readonly code: 'rate_limited';
  readonly retryAfterMs: number;
}

export interface MethodConsumer<
  Action extends string,
  Answer extends Decision | Promise<Decision>,
> {
  consume(action: Action, agentId: string): Answer;
}

/**
 * Creates a check that returns null for an allowed call, else the refusal. `actionOf` names the action whose limit
 * applies, or null for none. Synchronous with the local limiter.
 */
export function methodRateLimit<Action extends string, Method extends string = string>(
  limiter: MethodConsumer<Action, Decision>,
  actionOf: (method: Method) => Action | null,
): (method: Method, agentId: string) => MethodRefusal | null;
/** Asynchronous with the exact limiter: one round trip per limited call. */
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

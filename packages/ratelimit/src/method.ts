import type { Decision } from './decision.ts';

/** Why a method was not carried out; a value and never an error. */
export interface MethodRefusal {
  readonly code: 'rate_limited';
  /** Milliseconds until the same call would be allowed. */
  readonly retryAfterMs: number;
}

/** The part of a limiter that {@link methodRateLimit} needs, synchronous or not. */
export interface MethodConsumer<
  Action extends string,
  Answer extends Decision | Promise<Decision>,
> {
  consume(action: Action, agentId: string): Answer;
}

/**
 * Makes the check that goes before each method call: null, or why it is refused. `actionOf` names the action whose
 * limit a method counts on; null: the method is not limited. Synchronous with the local limiter.
 */
export function methodRateLimit<Action extends string, Method extends string = string>(
  limiter: MethodConsumer<Action, Decision>,
  actionOf: (method: Method) => Action | null,
): (method: Method, agentId: string) => MethodRefusal | null;
/** The same with the exact limiter: one round trip per limited call. */
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

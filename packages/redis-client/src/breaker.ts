import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { isOutage, isSlotMoving, writeRefusalOf } from './errors.ts';
import type { RedisHealth } from './health.ts';
import { PipelineReplies } from './pipeline.ts';

/** Opens after a run of outages without a success between them; while open, only the background probe reaches Redis. */
export interface Breaker {
  readonly state: RedisHealth['breaker'];
  /** Runs `work` and counts its outcome. Callers ask {@link Breaker.state} first: only the probe runs while not closed. */
  execute<T>(work: () => Promise<T>): Promise<T>;
}

const stateNames = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
} as const;

/** Makes a breaker. `onChange` is called after each change of state. */
export function createBreaker(
  { failures, halfOpenAfterMs }: { failures: number; halfOpenAfterMs: number },
  onChange: (state: RedisHealth['breaker']) => void,
): Breaker {
  // A server that refuses writes answers, so another connection would not help; the probe finds out when it takes them.
  const isRefusal = (error: unknown) =>
    /^(OOM|MISCONF|NOREPLICAS)$/.test(`${writeRefusalOf(error)}`);
  const counts = (error: unknown) => isOutage(error) && !isSlotMoving(error) && !isRefusal(error);
  const outages = handleWhen(counts).orWhenResult(
    (result) => result instanceof PipelineReplies && result.replies.some(counts),
  );
  const policy = circuitBreaker(outages, {
    halfOpenAfter: halfOpenAfterMs,
    breaker: new ConsecutiveBreaker(failures),
  });
  policy.onStateChange((state) => onChange(stateNames[state]));
  return {
    get state() {
      return stateNames[policy.state];
    },
    execute: (work) => policy.execute(work),
  };
}

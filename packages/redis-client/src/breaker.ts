import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { PipelineReplies } from './commands.ts';
import { isOutage, isSlotMoving, writeRefusalOf } from './errors.ts';

export type BreakerState = 'closed' | 'open' | 'half_open';

/** Opens after several outages without a success between them. While it is open, only the heartbeat reaches Redis. */
export interface Breaker {
  readonly state: BreakerState;
  /** Runs `work` and counts its outcome. Calls check {@link Breaker.state} first; the heartbeat does not. */
  execute<T>(work: () => Promise<T>): Promise<T>;
}

const stateNames = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
} as const;

export function createBreaker(
  { failures, halfOpenAfterMs }: { failures: number; halfOpenAfterMs: number },
  onChange: (state: BreakerState) => void,
): Breaker {
  // A server that refuses writes still answers, so a new connection would not help.
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

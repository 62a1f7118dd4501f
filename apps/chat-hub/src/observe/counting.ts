import type { Limiter } from '../calls/invoke.ts';
import type { ServiceObservers } from '../services.ts';
import type { DatabaseState } from './database-state.ts';
import type { Metrics } from './metrics.ts';

/** The reports of the store and of Redis, as metrics. They cost one observation per group or round trip. */
export function serviceObservers(
  metrics: Metrics,
  { onCall }: Pick<DatabaseState, 'onCall'>,
): ServiceObservers {
  return {
    onCall,
    onGroup({ size, durationMs }) {
      metrics.commitGroupSize.observe(size);
      metrics.commitSeconds.observe(durationMs / 1_000);
    },
    onSweep({ trimmedEvents, isPassDone }) {
      metrics.trimmedEvents.inc(trimmedEvents);
      if (isPassDone) metrics.retentionPassTimestamp.setToCurrentTime();
    },
    onRoundTrip({ durationMs, failure }) {
      metrics.redisRoundTripSeconds.observe(durationMs / 1_000);
      if (failure !== null) metrics.redisFailures.inc({ code: failure });
    },
  };
}

/** A limiter that counts its refusals by action. */
export function countRefusals(limiter: Limiter, { limited }: Pick<Metrics, 'limited'>): Limiter {
  return {
    limits: limiter.limits,
    consume(action, agentId) {
      const decision = limiter.consume(action, agentId);
      if (!decision.allowed) limited.inc({ action });
      return decision;
    },
  };
}

import { ChatStoreError, type CallKind, type DatabaseCall } from '@openclaw/chat-store';
import type { Logger } from 'pino';
import type { ServiceObservers } from '../services.ts';
import { databaseFailureCodes, type Metrics } from './metrics.ts';

/**
 * Knows from the outcomes of calls whether the database answers. Logs each change once, with its reason and duration.
 */
export interface DatabaseState {
  readonly isUp: boolean;
  readonly downMs: number;
  readonly onCall: (call: DatabaseCall) => void;
  /** Call it for a failure that does not reach `onCall`, for instance because the database hangs. */
  failed(side: Side, error: unknown): void;
}

type Side = 'reads' | 'writes';

export interface DatabaseStateDeps {
  readonly metrics: Pick<Metrics, 'databaseCallSeconds' | 'databaseFailures'>;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * The database counts as down when calls have failed for this long without a success. A single failure, for instance at
 * a lock, is not yet an outage.
 */
const toleratedMs = 250;

const sideOf: Readonly<Record<CallKind, Side>> = {
  commit: 'writes',
  write: 'writes',
  read: 'reads',
  look_up: 'reads',
  system: 'reads',
};
const codes: ReadonlySet<string> = new Set(databaseFailureCodes);

export function createDatabaseState(
  { metrics, log }: DatabaseStateDeps,
  clock = () => performance.now(),
): DatabaseState {
  const failing = new Map<Side, number>();
  let downSinceMs: number | null = null;

  function answered(side: Side): void {
    if (!failing.delete(side) || failing.size > 0 || downSinceMs === null) return;
    const downMs = Math.round(clock() - downSinceMs);
    downSinceMs = null;
    log.warn({ downMs }, 'the database answers again');
  }

  function fail(side: Side, { code, message }: ChatStoreError, waitedMs: number): void {
    const nowMs = clock();
    const sinceMs = failing.get(side) ?? nowMs - waitedMs;
    failing.set(side, sinceMs);
    if (downSinceMs !== null || nowMs - sinceMs < toleratedMs) return;
    downSinceMs = sinceMs;
    log.warn({ side, code, reason: message }, 'the database is down');
  }

  return {
    get isUp() {
      return downSinceMs === null;
    },
    get downMs() {
      return downSinceMs === null ? 0 : clock() - downSinceMs;
    },
    onCall({ kind, durationMs, failure }) {
      metrics.databaseCallSeconds.observe({ kind }, durationMs / 1_000);
      if (failure === null) return answered(sideOf[kind]);
      if (!codes.has(failure.code)) return;
      metrics.databaseFailures.inc({ code: failure.code });
      // A wait for a lock says nothing about the server, so the outage does not begin with the wait.
      fail(sideOf[kind], failure, failure.code === 'locked' ? 0 : durationMs);
    },
    failed(side, error) {
      if (error instanceof ChatStoreError && codes.has(error.code)) fail(side, error, 0);
    },
  };
}

export function serviceObservers(
  metrics: Pick<
    Metrics,
    | 'commitGroupSize'
    | 'commitSeconds'
    | 'redisRoundTripSeconds'
    | 'redisFailures'
    | 'trimmedEvents'
    | 'retentionPassTimestamp'
  >,
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

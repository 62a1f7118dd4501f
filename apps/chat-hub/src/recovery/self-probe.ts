import type { ProbeResult } from '@openclaw/events';
import type { Logger } from 'pino';

export interface PublishPath {
  /** `unused` means that no Redis is configured and none was found, so this hub works alone. */
  readonly status: 'ok' | 'down' | 'unused';
  /** The time from publish to receipt of the last probe that returned; null before the first. */
  readonly latencyMs: number | null;
  /** Unix time in ms of the last probe that returned; null before the first. */
  readonly lastOkAt: number | null;
}

/** The connection is replaced after this many lost probes in a row. A single lost probe may be a stall. */
const lostToReconnect = 2;
/** The number of lost probes between two reconnects doubles from 2 up to this. */
const maxLostBetween = 64;

/** The hub publishes to itself, because a connection that answers PING may deliver nothing. */
export function startSelfProbe(
  deps: {
    readonly probe: (timeoutMs: number) => Promise<ProbeResult>;
    readonly reconnect: () => void;
    readonly onDeaf: () => void;
    /** True if a Redis is configured, so that its absence is a fault. */
    readonly isRedisNamed: boolean;
    readonly onProbe?: (result: ProbeResult) => void;
    readonly log: Logger;
  },
  { everyMs = 2_000, everyMsWhenDeaf = 500, timeoutMs = 500, clock = Date.now } = {},
) {
  let outcome: ProbeResult['outcome'] | null = null;
  let latencyMs: number | null = null;
  let lastOkAt: number | null = null;
  let lost = 0;
  let reconnectAtLost = lostToReconnect;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isClosed = false;

  function record(result: ProbeResult): void {
    outcome = result.outcome;
    deps.onProbe?.(result);
    if (result.outcome === 'back') {
      latencyMs = result.latencyMs;
      lastOkAt = clock();
      if (lost > 0) deps.log.info({ lost, latencyMs }, 'published events are received again');
    }
    if (result.outcome !== 'lost') {
      lost = 0;
      reconnectAtLost = lostToReconnect;
      return;
    }
    lost += 1;
    if (lost === 1) deps.onDeaf();
    if (lost < reconnectAtLost) return;
    // If one new connection does not help, many will not help either, so the intervals grow.
    reconnectAtLost += Math.min(lost, maxLostBetween);
    deps.log.warn({ lost }, 'Redis answers but delivers nothing; the subscriber reconnects');
    deps.reconnect();
  }

  async function run(): Promise<void> {
    try {
      record(await deps.probe(timeoutMs));
    } catch (error) {
      // After the bus was closed, a failed probe means nothing.
      if (!isClosed) deps.log.error({ err: error }, 'the publish path could not be probed');
      record({ outcome: 'refused' });
    }
    if (isClosed) return;
    timer = setTimeout(start, lost > 0 ? everyMsWhenDeaf : everyMs);
    timer.unref();
  }

  function start(): void {
    running = run();
  }

  function status(): PublishPath['status'] {
    if (outcome === 'back') return 'ok';
    return deps.isRedisNamed || lastOkAt !== null || outcome === 'lost' ? 'down' : 'unused';
  }

  start();
  return {
    get path() {
      return { status: status(), latencyMs, lastOkAt };
    },
    /**
     * True while Redis accepts this hub's events but does not deliver them back. Other hubs' events then arrive only
     * through the store.
     */
    get isDeaf() {
      return outcome === 'lost';
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

export type SelfProbe = ReturnType<typeof startSelfProbe>;

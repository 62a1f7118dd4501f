import type { ProbeResult } from '@openclaw/events';
import type { Logger } from 'pino';

/** How the publish path is, as `/readyz` shows it. */
export interface PublishPath {
  /** `unused`: no Redis is named and none was found, so this hub is alone. */
  readonly status: 'ok' | 'down' | 'unused';
  /** From publishing to hearing it, the last time it came back; null before. */
  readonly latencyMs: number | null;
  /** Epoch milliseconds; null before the first. */
  readonly lastOkAt: number | null;
}

/** Publishes to itself now and then, as a connection may answer every PING and yet bring nothing. */
export interface SelfProbe {
  readonly path: PublishPath;
  /** Redis answers, and what it takes does not come back: events of other hubs come by the store alone. */
  readonly isDeaf: boolean;
  close(): Promise<void>;
}

export interface SelfProbeDeps {
  readonly probe: (timeoutMs: number) => Promise<ProbeResult>;
  /** Replaces the connection that brings nothing. */
  readonly reconnect: () => void;
  /** The hub has just become deaf. */
  readonly onDeaf: () => void;
  /** Whether a Redis was named, so that having none is a fault. */
  readonly isRedisNamed: boolean;
  readonly log: Logger;
}

/** Options of {@link startSelfProbe}, in ms. */
export interface SelfProbeOptions {
  /** From one probe to the next while all is well. @default 2000 */
  readonly everyMs?: number;
  /** From one probe to the next after one that was lost. @default 500 */
  readonly everyMsWhenDeaf?: number;
  /** A word that is not back by then is lost. @default 500 */
  readonly timeoutMs?: number;
  /** @default Date.now */
  readonly clock?: () => number;
}

/** Lost words in a row that make a connection deaf; one alone may be a stall. */
const lostToReconnect = 2;
/** The most probes that pass between two reconnects of one deafness: their number grows from 2 to this. */
const maxLostBetween = 64;

/** Starts probing; the first probe is made at once. */
export function startSelfProbe(deps: SelfProbeDeps, options: SelfProbeOptions = {}): SelfProbe {
  const { everyMs = 2_000, everyMsWhenDeaf = 500, timeoutMs = 500, clock = Date.now } = options;
  let outcome: ProbeResult['outcome'] | null = null;
  let latencyMs: number | null = null;
  let lastOkAt: number | null = null;
  let lost = 0;
  let reconnectAtLost = lostToReconnect;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isClosed = false;

  function heard(result: ProbeResult): void {
    outcome = result.outcome;
    if (result.outcome === 'back') {
      latencyMs = result.latencyMs;
      lastOkAt = clock();
      if (lost > 0) deps.log.info({ lost, latencyMs }, 'what is published comes back again');
    }
    if (result.outcome !== 'lost') {
      lost = 0;
      reconnectAtLost = lostToReconnect;
      return;
    }
    lost += 1;
    if (lost === 1) deps.onDeaf();
    if (lost < reconnectAtLost) return;
    // Further and further apart: where a new connection does not help, many do not either.
    reconnectAtLost += Math.min(lost, maxLostBetween);
    deps.log.warn({ lost }, 'Redis answers but brings nothing; its subscriber connects anew');
    deps.reconnect();
  }

  async function run(): Promise<void> {
    try {
      heard(await deps.probe(timeoutMs));
    } catch (error) {
      // The bus is closed before this is: nothing more will come.
      if (!isClosed) deps.log.error({ err: error }, 'the publish path could not be probed');
      heard({ outcome: 'refused' });
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

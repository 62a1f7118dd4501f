import type { CallMethod } from './calls.ts';
import { HubError } from './errors.ts';

/** Notices a connection that is open and dead, which no WebSocket tells a browser. */
export interface Watchdog {
  start(heartbeatMs: number): void;
  /** A frame came: the connection lives. */
  heard(): void;
  stop(): void;
}

/** After a silent heartbeat it pings; without an answer within another, `onDead` is told. */
export function createWatchdog(call: CallMethod, onDead: (error: HubError) => void): Watchdog {
  let timer: ReturnType<typeof setInterval> | undefined;
  let hasHeard = false;

  function ping(timeoutMs: number) {
    call('ping', {}, { timeoutMs }).catch((error: unknown) => {
      if (!(error instanceof HubError) || error.code !== 'timeout' || hasHeard) return;
      onDead(new HubError('disconnected', `The hub was silent for ${2 * timeoutMs} ms`));
    });
  }

  return {
    start(heartbeatMs) {
      clearInterval(timer);
      hasHeard = true;
      timer = setInterval(() => {
        if (!hasHeard) ping(heartbeatMs);
        hasHeard = false;
      }, heartbeatMs);
    },
    heard() {
      hasHeard = true;
    },
    stop() {
      clearInterval(timer);
    },
  };
}

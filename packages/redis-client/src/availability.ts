import { createListeners } from './listeners.ts';
import type { Logger } from './logger.ts';

/** The availability of Redis. Each change is emitted and logged once. */
export interface Availability {
  readonly now: boolean;
  onChange(listener: (available: boolean) => void): () => void;
  /** Sets the current value. `reason` explains an outage in the log. */
  set(available: boolean, reason: string): void;
  /** Sets unavailable without a log line, because the client is closed. */
  end(): void;
}

/** Starts as unavailable, without a log line. */
export function createAvailability(logger: Logger): Availability {
  const listeners = createListeners<[boolean]>((error) =>
    logger.error({ err: error }, 'a listener of Redis availability threw'),
  );
  let now = false;
  let logged: boolean | undefined;
  const change = (available: boolean) => {
    if (available === now) return;
    now = available;
    listeners.emit(available);
  };
  return {
    get now() {
      return now;
    },
    onChange: (listener) => listeners.add(listener),
    set(available, reason) {
      if (available !== logged) {
        logged = available;
        if (available) logger.info({}, 'Redis is available');
        else logger.warn({ reason }, 'Redis is unavailable');
      }
      change(available);
    },
    end: () => change(false),
  };
}

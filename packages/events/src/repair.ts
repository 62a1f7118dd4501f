import type { EncodedEnvelope } from '@openclaw/protocol';
import { EventsError } from './errors.ts';

/** Runs `callback` once after `delayMs`; the returned function prevents that. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;

/** By setTimeout, not keeping the process alive. */
export const scheduleTimeout: Schedule = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
};

/** The dependencies of {@link createRepair}. */
export interface RepairDeps {
  readonly channelId: string;
  /** The seq delivered last. */
  head(): number;
  /** True while the store holds more than was delivered. */
  isBehind(): boolean;
  fetch(after: number, limit: number): Promise<readonly EncodedEnvelope[]>;
  /** Takes a page from the store, in order. */
  accept(page: readonly EncodedEnvelope[]): void;
  /** Called after each failed attempt; another follows. */
  onFailure(error: EventsError): void;
  readonly schedule: Schedule;
  readonly random: () => number;
}

/** Limits of a repair. */
export interface RepairOptions {
  readonly pageSize: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
}

/** Fetches missing events page by page, one fetch at a time, until none is missing. */
export interface Repair {
  /** True while a fetch is in progress or the next one is scheduled. */
  readonly active: boolean;
  /** Fetches at once, even if the next attempt was scheduled for later; a fetch in progress continues. */
  start(): void;
  close(): void;
}

/**
 * Creates an idle repair. A page without a new event counts as a failure and is retried later. It never stops retrying,
 * as that would silence the channel. Other work of the process runs between two pages.
 */
export function createRepair(deps: RepairDeps, options: RepairOptions): Repair {
  let fetching = false;
  let cancelNext: (() => void) | null = null;
  let failures = 0;
  let closed = false;

  async function fetchPage(): Promise<EventsError | null> {
    const after = deps.head();
    try {
      deps.accept(await deps.fetch(after, options.pageSize));
      if (deps.head() > after) return null;
      return new EventsError(
        'fetch_failed',
        `the store did not return event ${after + 1} of ${deps.channelId}`,
      );
    } catch (cause) {
      const message = `could not fetch the events of ${deps.channelId} after ${after}`;
      return new EventsError('fetch_failed', message, { cause });
    }
  }

  function backoffMs(): number {
    const ceilingMs = Math.min(options.maxBackoffMs, options.minBackoffMs * 2 ** (failures - 1));
    // Half of it is random, so that the channels of a hub do not all retry at the same time.
    return Math.ceil((ceilingMs * (1 + deps.random())) / 2);
  }

  async function run(): Promise<void> {
    fetching = true;
    const error = await fetchPage();
    fetching = false;
    if (closed) return;
    failures = error === null ? 0 : failures + 1;
    if (deps.isBehind()) {
      cancelNext = deps.schedule(
        () => {
          cancelNext = null;
          start();
        },
        error === null ? 0 : backoffMs(),
      );
    }
    if (error !== null) deps.onFailure(error);
  }

  function start(): void {
    if (fetching || closed || !deps.isBehind()) return;
    cancelNext?.();
    cancelNext = null;
    void run();
  }

  return {
    get active() {
      return fetching || cancelNext !== null;
    },
    start,
    close() {
      closed = true;
      cancelNext?.();
      cancelNext = null;
    },
  };
}

import type { EncodedEnvelope } from '@openclaw/protocol';
import { EventsError } from './errors.ts';
import type { Schedule } from './schedule.ts';

/** What a repair is about. */
export interface RepairDeps {
  readonly channelId: string;
  /** The seq delivered last. */
  head(): number;
  /** Does the store hold more than was delivered? */
  isBehind(): boolean;
  fetch(after: number, limit: number): Promise<readonly EncodedEnvelope[]>;
  /** Takes a page of the store, in order. */
  accept(page: readonly EncodedEnvelope[]): void;
  /** Told of each failed attempt; another follows. */
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

/** Fetches what was missed, page by page, one fetch at a time, until nothing is missing. */
export interface Repair {
  /** Is a fetch on its way or waiting for its next attempt? */
  readonly active: boolean;
  /** Begins at once, also when the next attempt was to come later; a fetch on its way is left to end. */
  start(): void;
  close(): void;
}

/**
 * A page that brings nothing new counts as failed too: the store is asked again, later. There is no last attempt, since
 * giving up would silence the channel; what is bounded is the delay and the one fetch at a time. Between two pages the
 * process does other work, so that a long repair does not hold up what else it has to do.
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
        `the store did not answer event ${after + 1} of ${deps.channelId}`,
      );
    } catch (cause) {
      const message = `could not fetch the events of ${deps.channelId} after ${after}`;
      return new EventsError('fetch_failed', message, { cause });
    }
  }

  function backoffMs(): number {
    const ceilingMs = Math.min(options.maxBackoffMs, options.minBackoffMs * 2 ** (failures - 1));
    // Half of it is random, so that the channels of a hub do not all return to a weak store at once.
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

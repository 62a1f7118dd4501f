import type { EncodedEnvelope } from '@openclaw/protocol';
import { resolveOptions } from '@openclaw/redis-client';
import { EventsError, type EventsErrorCode } from './errors.ts';

/** Runs `callback` once after `delayMs`. Returns a function that cancels it. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;

/** `store`: the bus lost or delayed the event. */
export type EventSource = 'live' | 'store';

/** The sequencer calls the callbacks synchronously. Errors that a callback throws go to `onError`. */
export interface SequencerDeps {
  readonly channelId: string;
  readonly epoch: string;
  /** The seq delivered last; 0 for none. */
  readonly head: number;
  /** Gets each event that has a seq once, in order. */
  deliver(event: EncodedEnvelope, source: EventSource): void;
  /** Resolves with up to `limit` events after `after`, in order. The promise must settle. Calls never overlap. */
  fetch(after: number, limit: number): Promise<readonly EncodedEnvelope[]>;
  /** Gets the first event of another epoch, which is not delivered. */
  onForeignEpoch?(event: EncodedEnvelope): void;
  /**
   * `fetch_failed`: the sequencer retries the fetch. `handler_failed`: `deliver` or `onForeignEpoch` threw.
   * `invalid_event`: an event of another channel.
   */
  onError?(error: EventsError): void;
  /** @default setTimeout, not keeping the process alive */
  readonly schedule?: Schedule;
  /** Counts of all sequencers that share this object, also of closed ones. */
  readonly totals?: SequencerTotals;
}

/** Counts that only rise. */
export interface SequencerTotals {
  /** The number of gaps. A gap is counted when an event arrives ahead of a missing one while no event is buffered. */
  holes: number;
  /** Events that came from the store. */
  repaired: number;
  /** Dropped events whose seq was already delivered or buffered. */
  duplicates: number;
}

export interface SequencerOptions {
  /** How long an event waits for earlier ones before they are fetched. @default 25 */
  readonly gapTimeoutMs?: number;
  /**
   * The most buffered events. Beyond this number, all are dropped and fetched instead.
   * @default 512
   */
  readonly maxBuffered?: number;
  /**
   * The most buffered characters of JSON. Beyond this number, all events are dropped and fetched instead.
   * @default 1_048_576
   */
  readonly maxBufferedCharacters?: number;
  /** The most events of one fetch. @default 200 */
  readonly pageSize?: number;
  /** The first delay after a failed fetch, doubled with each failure. Half of it is random. @default 100 */
  readonly minBackoffMs?: number;
  /** The longest delay between two fetches. @default 5_000 */
  readonly maxBackoffMs?: number;
  /** A number from 0 to below 1. @default Math.random */
  readonly random?: () => number;
}

export interface SequencerStats {
  readonly delivered: number;
  readonly repaired: number;
  readonly duplicates: number;
  readonly buffered: number;
  readonly overflows: number;
  readonly failedFetches: number;
}

const defaults: Required<SequencerOptions> = {
  gapTimeoutMs: 25,
  maxBuffered: 512,
  maxBufferedCharacters: 1024 * 1024,
  pageSize: 200,
  minBackoffMs: 100,
  maxBackoffMs: 5_000,
  random: Math.random,
};

const scheduleTimeout: Schedule = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
};

/**
 * Delivers one channel's events once and in order, even if pub/sub drops, repeats or reorders them. An event after a
 * gap is buffered, and the gap is fetched after `gapTimeoutMs`. An event without a seq is delivered at once, even
 * repeatedly.
 */
export interface Sequencer {
  readonly head: number;
  readonly stats: SequencerStats;
  /**
   * Takes events in any order, any number of times. Delivers an event with the next seq before it returns,
   * unless `deliver` is running.
   */
  offer(event: EncodedEnvelope): void;
  /** Call it with the store's head. Fetches missing events at once. */
  raise(head: number): void;
  /** No callback runs afterwards. */
  close(): void;
}

/** @throws {EventsError} `invalid_options` */
export function createSequencer(deps: SequencerDeps, options: SequencerOptions = {}): Sequencer {
  const { channelId, epoch, schedule = scheduleTimeout } = deps;
  const totals = deps.totals ?? { holes: 0, repaired: 0, duplicates: 0 };
  const settings = resolveOptions(defaults, options, EventsError);
  const { gapTimeoutMs, maxBuffered, maxBufferedCharacters, pageSize } = settings;
  if (!Number.isSafeInteger(deps.head) || deps.head < 0) {
    throw new EventsError('invalid_options', `head must be an integer from 0 on, not ${deps.head}`);
  }

  let head = deps.head;
  let target = head;
  const buffered = new Map<number, EncodedEnvelope>();
  let bufferedCharacters = 0;
  let cancelGapTimeout: (() => void) | null = null;
  let fetching = false;
  let cancelNextFetch: (() => void) | null = null;
  let failures = 0;
  let delivering = false;
  let closed = false;
  let foreignEpoch: string | null = null;
  let delivered = 0;
  let repaired = 0;
  let duplicates = 0;
  let overflows = 0;
  let failedFetches = 0;

  const report = (code: EventsErrorCode, message: string, cause?: unknown) => {
    try {
      deps.onError?.(new EventsError(code, message, cause));
    } catch {
      // An error handler that throws must not stop the channel.
    }
  };

  function backoffMs(): number {
    const { minBackoffMs, maxBackoffMs, random } = settings;
    const ceilingMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** (failures - 1));
    // Half of the delay is random, so that a hub's channels do not retry together.
    return Math.ceil((ceilingMs * (1 + random())) / 2);
  }

  /** A page without a new event counts as a failure. */
  async function fetchPage(): Promise<void> {
    const after = head;
    let message = `the store did not return event ${after + 1} of ${channelId}`;
    let thrown: { readonly cause: unknown } | undefined;
    fetching = true;
    try {
      accept(await deps.fetch(after, pageSize));
    } catch (cause) {
      message = `could not fetch the events of ${channelId} after ${after}`;
      thrown = { cause };
    }
    fetching = false;
    if (closed) return;
    const isFailure = thrown !== undefined || head === after;
    failures = isFailure ? failures + 1 : 0;
    // Retries never stop, because a channel with a gap delivers nothing. With a delay of 0, other work can run between
    // two pages.
    if (target > head) cancelNextFetch = schedule(fetchMissing, isFailure ? backoffMs() : 0);
    if (!isFailure) return;
    failedFetches += 1;
    report('fetch_failed', message, thrown?.cause);
  }

  /** Fetches at once, even if an attempt is scheduled. */
  function fetchMissing(): void {
    if (fetching || closed) return;
    cancelNextFetch?.();
    cancelNextFetch = null;
    if (target > head) void fetchPage();
  }

  function callDeliver(event: EncodedEnvelope, source: EventSource): void {
    try {
      deps.deliver(event, source);
    } catch (cause) {
      const what = event.seq === null ? event.id : `event ${event.seq}`;
      report('handler_failed', `deliver threw at ${what} of ${channelId}`, cause);
    }
  }

  function advance(event: EncodedEnvelope, source: EventSource): void {
    // Handlers may offer events now. The events are buffered; otherwise one subscriber would get n+1 before another
    // gets n.
    delivering = true;
    let next: EncodedEnvelope | undefined = event;
    while (next !== undefined && !closed) {
      head += 1;
      bufferedCharacters -= buffered.get(head)?.json.length ?? 0;
      buffered.delete(head);
      delivered += 1;
      if (next === event && source === 'store') {
        repaired += 1;
        totals.repaired += 1;
      }
      callDeliver(next, next === event ? source : 'live');
      next = buffered.get(head + 1);
    }
    delivering = false;
    watchGap();
  }

  const isRepairing = () => fetching || cancelNextFetch !== null;

  /** Starts the timer when events are buffered and no fetch runs or is scheduled. Stops it when none are buffered. */
  function watchGap(): void {
    if (buffered.size === 0 || closed) {
      cancelGapTimeout?.();
      cancelGapTimeout = null;
    } else if (cancelGapTimeout === null && !isRepairing()) {
      cancelGapTimeout = schedule(() => {
        cancelGapTimeout = null;
        fetchMissing();
      }, gapTimeoutMs);
    }
  }

  function countDuplicate(): void {
    duplicates += 1;
    totals.duplicates += 1;
  }

  function buffer(event: EncodedEnvelope, seq: number): void {
    target = Math.max(target, seq);
    if (buffered.has(seq)) {
      countDuplicate();
    } else if (
      buffered.size < maxBuffered &&
      bufferedCharacters + event.json.length <= maxBufferedCharacters
    ) {
      // During a delivery, even the next event in order is buffered, so a buffered event is no proof of a gap.
      if (buffered.size === 0 && !delivering) totals.holes += 1;
      buffered.set(seq, event);
      bufferedCharacters += event.json.length;
      if (!delivering) watchGap();
    } else {
      overflows += 1;
      buffered.clear();
      bufferedCharacters = 0;
      watchGap();
      if (!isRepairing()) fetchMissing();
    }
  }

  function accept(page: readonly EncodedEnvelope[]): void {
    for (const event of page) {
      if (closed || isForeign(event)) return;
      if (event.seq === head + 1) advance(event, 'store');
      else if (event.seq === null || event.seq > head) return;
    }
  }

  function isForeign(event: EncodedEnvelope): boolean {
    if (event.channelId !== channelId) {
      report('invalid_event', `an event of ${event.channelId} came to ${channelId}`);
      return true;
    }
    if (event.epoch === epoch) return false;
    if (event.epoch !== foreignEpoch) {
      foreignEpoch = event.epoch;
      try {
        deps.onForeignEpoch?.(event);
      } catch (cause) {
        report('handler_failed', `onForeignEpoch of ${channelId} threw`, cause);
      }
    }
    return true;
  }

  return {
    get head() {
      return head;
    },
    get stats() {
      return { delivered, repaired, duplicates, buffered: buffered.size, overflows, failedFetches };
    },
    offer(event) {
      if (closed || isForeign(event)) return;
      const { seq } = event;
      if (seq === null) callDeliver(event, 'live');
      else if (seq <= head) countDuplicate();
      else if (seq === head + 1 && !delivering) advance(event, 'live');
      else buffer(event, seq);
    },
    raise(storeHead) {
      if (closed || !Number.isSafeInteger(storeHead) || storeHead <= head) return;
      target = Math.max(target, storeHead);
      fetchMissing();
    },
    close() {
      closed = true;
      buffered.clear();
      bufferedCharacters = 0;
      watchGap();
      cancelNextFetch?.();
      cancelNextFetch = null;
    },
  };
}

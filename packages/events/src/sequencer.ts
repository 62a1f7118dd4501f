import type { EncodedEnvelope } from '@openclaw/protocol';
import { resolveOptions } from '@openclaw/redis-client';
import { EventsError, type EventsErrorCode } from './errors.ts';

/** Runs `callback` once after `delayMs`. The returned function cancels it. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;

/** The origin of a delivered event: the bus (`live`), or the store because the bus lost or delayed it. */
export type EventSource = 'live' | 'store';

/** Callbacks are called synchronously; errors that they throw go to `onError`. */
export interface SequencerDeps {
  readonly channelId: string;
  /** The epoch of the database that the seqs belong to. */
  readonly epoch: string;
  /** The seq delivered last; 0 at the beginning of the channel. */
  readonly head: number;
  /** Receives each event once, in order. */
  deliver(event: EncodedEnvelope, source: EventSource): void;
  /** Resolves with up to `limit` events after the seq `after`, in order. It must settle. Calls never overlap. */
  fetch(after: number, limit: number): Promise<readonly EncodedEnvelope[]>;
  /** Called with an event of another epoch, which is not delivered. Called once for each change of epoch. */
  onForeignEpoch?(event: EncodedEnvelope): void;
  /** Gets `fetch_failed` (it retries), `handler_failed` (`deliver` threw) and `invalid_event` (of another channel). */
  onError?(error: EventsError): void;
  /** @default setTimeout, not keeping the process alive */
  readonly schedule?: Schedule;
  /** Counts over all sequencers that share this object, for metrics; it keeps the counts of closed ones. */
  readonly totals?: SequencerTotals;
}

/** Counts over several sequencers. They only rise. */
export interface SequencerTotals {
  /** Times that events arrived ahead of a missing one. */
  holes: number;
  /** Delivered events that were fetched from the store. */
  repaired: number;
  /** Events dropped because their seq was already delivered or buffered. */
  duplicates: number;
}

export interface SequencerOptions {
  /** How long an event waits for missing earlier ones before they are fetched. @default 25 */
  readonly gapTimeoutMs?: number;
  /** How many out-of-order events may be buffered. With more, all are dropped and fetched instead. @default 512 */
  readonly maxBuffered?: number;
  /**
   * The most characters of their JSON that may be buffered. With more, all are dropped and fetched instead.
   * @default 1_048_576
   */
  readonly maxBufferedCharacters?: number;
  /** The most events of one fetch. @default 200 */
  readonly pageSize?: number;
  /** Delay after the first failed fetch. It doubles with each failure, and half of it is random. @default 100 */
  readonly minBackoffMs?: number;
  /** The longest delay between two attempts. @default 5_000 */
  readonly maxBackoffMs?: number;
  /** A number from 0 to below 1. @default Math.random */
  readonly random?: () => number;
}

export interface SequencerStats {
  readonly delivered: number;
  /** Delivered events that were fetched from the store. */
  readonly repaired: number;
  /** Events dropped because their seq was already delivered or buffered. */
  readonly duplicates: number;
  readonly buffered: number;
  /** How often the buffer was full. */
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
 * Delivers one channel's events exactly once and in order. The next event is delivered at once and an older one is
 * dropped. A newer one is buffered, and after `gapTimeoutMs` the gap is fetched. So `deliver` gets head+1, head+2, …
 * even if pub/sub drops, repeats or reorders events. An event without a seq is delivered at once;
 * `createEphemeralFilter` drops its repetitions.
 */
export interface Sequencer {
  /** The seq that was delivered last. */
  readonly head: number;
  readonly stats: SequencerStats;
  /** Takes an event from any source, in any order, any number of times. The next seq is delivered before this returns. */
  offer(event: EncodedEnvelope): void;
  /** Call it with the store's head. Fetches the missing events up to it at once. */
  raise(head: number): void;
  /** Ends all deliveries and reports, including those of a fetch in progress. */
  close(): void;
}

/** Creates a channel's {@link Sequencer}. @throws {EventsError} `invalid_options` */
export function createSequencer(deps: SequencerDeps, options: SequencerOptions = {}): Sequencer {
  const { channelId, epoch, schedule = scheduleTimeout } = deps;
  const totals = deps.totals ?? { holes: 0, repaired: 0, duplicates: 0 };
  const settings = resolveOptions(defaults, options, EventsError);
  const { gapTimeoutMs, maxBuffered, maxBufferedCharacters, pageSize } = settings;
  if (!Number.isSafeInteger(deps.head) || deps.head < 0) {
    throw new EventsError('invalid_options', `head must be an integer from 0 on, not ${deps.head}`);
  }

  let head = deps.head;
  /** The highest seq that is known to exist. */
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
      // Ignored: an error handler that throws must not stop the channel.
    }
  };

  function backoffMs(): number {
    const { minBackoffMs, maxBackoffMs, random } = settings;
    const ceilingMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** (failures - 1));
    // Half of the delay is random, so that the channels of a hub do not all retry at the same time.
    return Math.ceil((ceilingMs * (1 + random())) / 2);
  }

  /** Fetches one page. A page without a new event counts as a failure. */
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
    // It never stops retrying, because the channel would get no more events. Other work of the process runs between
    // two pages.
    if (target > head) cancelNextFetch = schedule(fetchMissing, isFailure ? backoffMs() : 0);
    if (!isFailure) return;
    failedFetches += 1;
    report('fetch_failed', message, thrown?.cause);
  }

  /** Fetches at once, even if the next attempt was scheduled for later. A fetch in progress continues. */
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

  /** Delivers head+1 and the buffered events that follow it without a gap. */
  function advance(event: EncodedEnvelope, source: EventSource): void {
    // Buffers events that handlers offer during the delivery. Otherwise one subscriber would get n+1 before another
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

  /** A timer runs while events are buffered, unless the gap is already being fetched. */
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
      // During `deliver` an event is buffered although nothing is missing before it.
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

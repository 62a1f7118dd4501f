import type { EncodedEnvelope } from '@openclaw/protocol';
import { EventsError } from './errors.ts';
import { positiveInteger } from './options.ts';
import { createRepair } from './repair.ts';
import { scheduleTimeout, type Schedule } from './schedule.ts';

/** Where a delivered event came from: the bus (`live`), or the store because the bus had lost or delayed it. */
export type EventSource = 'live' | 'store';

/** What a sequencer works with. All callbacks are called synchronously; what they throw is reported, never thrown on. */
export interface SequencerDeps {
  readonly channelId: string;
  /** The life of the database that the seqs belong to. */
  readonly epoch: string;
  /** The seq delivered last; 0 at the beginning of the channel. */
  readonly head: number;
  /** Receives each event once, in order. */
  deliver(event: EncodedEnvelope, source: EventSource): void;
  /** Answers up to `limit` events after the seq `after`, in order. It must settle; it is never called twice at a time. */
  fetch(after: number, limit: number): Promise<readonly EncodedEnvelope[]>;
  /** An event of another epoch came and was not delivered. Told once per epoch, until another one comes. */
  onForeignEpoch?(event: EncodedEnvelope): void;
  /** `fetch_failed` (it is tried again), `handler_failed` (deliver threw), `invalid_event` (another channel's). */
  onError?(error: EventsError): void;
  /** @default setTimeout, not keeping the process alive */
  readonly schedule?: Schedule;
}

/** Options of {@link createSequencer}. */
export interface SequencerOptions {
  /** How long an event that came too early waits for those before it until they are fetched. @default 25 */
  readonly holdMs?: number;
  /** The most events held; beyond it they are dropped and fetched instead. @default 512 */
  readonly maxHeld?: number;
  /** The most characters of JSON held; beyond it likewise. @default 1_048_576 */
  readonly maxHeldCharacters?: number;
  /** Events per fetch. @default 200 */
  readonly pageSize?: number;
  /** Delay after the first failed fetch; it doubles, and half of it is random. @default 100 */
  readonly minBackoffMs?: number;
  /** The longest delay between two attempts. @default 5_000 */
  readonly maxBackoffMs?: number;
  /** From 0 to below 1. @default Math.random */
  readonly random?: () => number;
}

/** What a sequencer has done, for metrics. */
export interface SequencerStats {
  /** Events delivered in order. */
  readonly delivered: number;
  /** Of these, events that only the store brought. */
  readonly repaired: number;
  /** Events dropped because they, or their like, had been there before. */
  readonly duplicates: number;
  /** Events held now. */
  readonly held: number;
  /** How often more came too early than may be held. */
  readonly overflows: number;
  /** Failed fetches. */
  readonly failedFetches: number;
}

/** One channel's events, exactly once and in order. See {@link createSequencer}. */
export interface Sequencer {
  /** The seq delivered last. */
  readonly head: number;
  readonly stats: SequencerStats;
  /** Takes an event from anywhere, in any order, any number of times. The next one is delivered before this returns. */
  offer(event: EncodedEnvelope): void;
  /** The store's head is this: when it is past ours, what lies between is fetched at once. */
  raise(head: number): void;
  /** Ends it: nothing is delivered or reported any more, not even what a fetch on its way brings. */
  close(): void;
}

/**
 * Makes a channel's sequencer: the next event is delivered at once, an older one dropped, a newer one held for `holdMs`;
 * then the hole is fetched. Whatever pub/sub drops, doubles or reorders, `deliver` sees head+1, head+2, … An event
 * without a seq passes by, and neither waits nor moves the head; `createEphemeralFilter` lets it through once.
 * @throws {EventsError} `invalid_options`
 */
export function createSequencer(deps: SequencerDeps, options: SequencerOptions = {}): Sequencer {
  const { channelId, epoch, schedule = scheduleTimeout } = deps;
  const holdMs = positiveInteger('holdMs', options.holdMs ?? 25);
  const maxHeld = positiveInteger('maxHeld', options.maxHeld ?? 512);
  const maxHeldCharacters = positiveInteger(
    'maxHeldCharacters',
    options.maxHeldCharacters ?? 1024 * 1024,
  );
  if (!Number.isSafeInteger(deps.head) || deps.head < 0) {
    throw new EventsError('invalid_options', `head must be an integer from 0 on, not ${deps.head}`);
  }

  let head = deps.head;
  /** The highest seq known to exist. */
  let target = head;
  const held = new Map<number, EncodedEnvelope>();
  let heldCharacters = 0;
  let cancelHold: (() => void) | null = null;
  let delivering = false;
  let closed = false;
  let foreignEpoch: string | null = null;
  let delivered = 0;
  let repaired = 0;
  let duplicates = 0;
  let overflows = 0;
  let failedFetches = 0;

  const report = (error: EventsError) => {
    try {
      deps.onError?.(error);
    } catch {
      // A reporter that throws must not stop the channel.
    }
  };

  const repair = createRepair(
    {
      channelId,
      head: () => head,
      isBehind: () => target > head,
      fetch: (after, limit) => deps.fetch(after, limit),
      accept,
      onFailure(error) {
        failedFetches += 1;
        report(error);
      },
      schedule,
      random: options.random ?? Math.random,
    },
    {
      pageSize: positiveInteger('pageSize', options.pageSize ?? 200),
      minBackoffMs: positiveInteger('minBackoffMs', options.minBackoffMs ?? 100),
      maxBackoffMs: positiveInteger('maxBackoffMs', options.maxBackoffMs ?? 5_000),
    },
  );

  function callDeliver(event: EncodedEnvelope, source: EventSource): void {
    try {
      deps.deliver(event, source);
    } catch (cause) {
      const what = event.seq === null ? event.id : `event ${event.seq}`;
      report(
        new EventsError('handler_failed', `deliver threw at ${what} of ${channelId}`, { cause }),
      );
    }
  }

  /** Delivers head+1 and every held event that follows it without a hole. */
  function advance(event: EncodedEnvelope, source: EventSource): void {
    // deliver may offer events itself: they are held meanwhile, or one subscriber would see n+1 before another saw n.
    delivering = true;
    let next: EncodedEnvelope | undefined = event;
    while (next !== undefined && !closed) {
      head += 1;
      heldCharacters -= held.get(head)?.json.length ?? 0;
      held.delete(head);
      delivered += 1;
      if (next === event && source === 'store') repaired += 1;
      callDeliver(next, next === event ? source : 'live');
      next = held.get(head + 1);
    }
    delivering = false;
    watchHeld();
  }

  /** The timer runs from the first event held until none is; a repair needs none. */
  function watchHeld(): void {
    if (held.size === 0 || closed) {
      cancelHold?.();
      cancelHold = null;
    } else if (cancelHold === null && !repair.active) {
      cancelHold = schedule(() => {
        cancelHold = null;
        repair.start();
      }, holdMs);
    }
  }

  function hold(event: EncodedEnvelope, seq: number): void {
    target = Math.max(target, seq);
    if (held.has(seq)) {
      duplicates += 1;
    } else if (held.size < maxHeld && heldCharacters + event.json.length <= maxHeldCharacters) {
      held.set(seq, event);
      heldCharacters += event.json.length;
      if (!delivering) watchHeld();
    } else {
      overflows += 1;
      held.clear();
      heldCharacters = 0;
      watchHeld();
      if (!repair.active) repair.start();
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
      report(
        new EventsError('invalid_event', `an event of ${event.channelId} came to ${channelId}`),
      );
      return true;
    }
    if (event.epoch === epoch) return false;
    if (event.epoch !== foreignEpoch) {
      foreignEpoch = event.epoch;
      try {
        deps.onForeignEpoch?.(event);
      } catch (cause) {
        report(
          new EventsError('handler_failed', `onForeignEpoch of ${channelId} threw`, { cause }),
        );
      }
    }
    return true;
  }

  return {
    get head() {
      return head;
    },
    get stats() {
      return { delivered, repaired, duplicates, held: held.size, overflows, failedFetches };
    },
    offer(event) {
      if (closed || isForeign(event)) return;
      const { seq } = event;
      if (seq === null) callDeliver(event, 'live');
      else if (seq <= head) duplicates += 1;
      else if (seq === head + 1 && !delivering) advance(event, 'live');
      else hold(event, seq);
    },
    raise(storeHead) {
      if (closed || !Number.isSafeInteger(storeHead) || storeHead <= head) return;
      target = Math.max(target, storeHead);
      repair.start();
    },
    close() {
      closed = true;
      held.clear();
      heldCharacters = 0;
      watchHeld();
      repair.close();
    },
  };
}

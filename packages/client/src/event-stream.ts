import type { Envelope } from '@openclaw/protocol';
import { logPageMax } from '@openclaw/protocol/wire';
import { abortable } from './abortable.ts';
import type { CallMethod } from './calls.ts';
import { HubError, retryPauseMs } from './errors.ts';
import type { TopicReader } from './topic.ts';

export interface StreamReader extends TopicReader {
  /** Call it at a discontinuity: the next event does not follow the last one. */
  onGap(): void;
}

export interface EventStreamOptions {
  /**
   * The most events that wait for the reader. While so many wait, new events are dropped. The reader later gets the
   * durable ones from the log.
   */
  readonly max: number;
  readonly signal: AbortSignal | undefined;
  start(reader: StreamReader): () => void;
  /** Up to `max` durable events after a seq. Waits until the hub can answer. */
  readLog(after: number, signal: AbortSignal): Promise<readonly Envelope[]>;
}

/** Repeats the call until the hub can answer. @throws when `signal` aborts */
export async function readLogPage(
  call: CallMethod,
  page: { readonly channelId: string; readonly after: number; readonly max: number },
  signal: AbortSignal,
): Promise<readonly Envelope[]> {
  const { channelId, after, max } = page;
  const limit = Math.max(1, Math.min(Math.floor(max), logPageMax));
  for (;;) {
    try {
      return (await call('log.read', { channelId, after, limit }, { signal })).events;
    } catch (error) {
      const pauseMs = retryPauseMs(error);
      if (pauseMs === null) throw error;
      await abortable<void>(signal, (resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        return () => clearTimeout(timer);
      });
    }
  }
}

/**
 * Returns an async iterator over the events after this call. While the reader is slow, the stream is `behind`: it drops
 * new events, and later reads them from the log (`filling`). So memory is bounded, and no durable event is lost.
 */
export function createEventStream(options: EventStreamOptions): AsyncIterableIterator<Envelope> {
  const { max, signal } = options;
  signal?.throwIfAborted();
  const over = new AbortController();
  let waiting: Envelope[] = [];
  let next = 0;
  let reader: {
    resolve(result: IteratorResult<Envelope>): void;
    reject(error: unknown): void;
  } | null = null;
  let end: { readonly error: unknown } | null = null;

  let phase: 'live' | 'behind' | 'filling' = 'live';
  /** The last durable event that the reader received, or that waits for the reader. */
  let last: { readonly seq: number | null; readonly epoch: string } | null = null;
  /** Live events that arrived while a page was in flight. */
  let buffered: Envelope[] = [];
  let newest = 0;
  /** Raised by every change that makes a page in flight outdated. */
  let generation = 0;

  function finish(error: unknown) {
    if (end !== null) return;
    end = { error };
    signal?.removeEventListener('abort', onAbort);
    stop();
    over.abort();
    if (reader === null) return;
    if (error === null) reader.resolve({ done: true, value: undefined });
    else reader.reject(error);
    reader = null;
  }

  function push(envelope: Envelope) {
    if (envelope.seq !== null) last = envelope;
    if (reader === null) return waiting.push(envelope);
    reader.resolve({ done: false, value: envelope });
    reader = null;
  }

  const isFull = () => reader === null && waiting.length - next >= max;
  const lastSeq = () => last?.seq ?? 0;

  function onEvent(envelope: Envelope) {
    const { seq, epoch } = envelope;
    if (phase === 'live' && !isFull()) return void push(envelope);
    // Ephemeral events are in no log, and useless later.
    if (seq === null) return;
    newest = seq;
    if (phase === 'live') {
      phase = 'behind';
      last ??= { seq: seq - 1, epoch };
    } else if (phase === 'filling' && buffered.length < max) {
      buffered.push(envelope);
    }
  }

  function fill() {
    phase = 'filling';
    buffered = [];
    generation += 1;
    const ownGeneration = generation;
    options
      .readLog(lastSeq(), over.signal)
      .then((page) => {
        if (ownGeneration === generation && end === null) onPage(page);
      })
      .catch((error: unknown) => {
        if (ownGeneration === generation) finish(error);
      });
  }

  function onPage(page: readonly Envelope[]) {
    const before = lastSeq();
    // After a restore, other events have the same seqs, so events of another epoch are left out. A discontinuity
    // reports the restore.
    for (const envelope of page) if (envelope.epoch === last?.epoch) push(envelope);
    const hasMoved = lastSeq() > before;
    for (const envelope of buffered) {
      const seq = envelope.seq as number;
      if (hasMoved && seq <= lastSeq()) continue;
      if (hasMoved && (isFull() || seq !== lastSeq() + 1)) break;
      push(envelope);
    }
    buffered = [];
    phase = hasMoved && lastSeq() < newest ? 'behind' : 'live';
  }

  const onAbort = () => finish(signal?.reason);
  const stop = options.start({
    onEvent(envelope) {
      if (end === null) onEvent(envelope);
    },
    onGap() {
      phase = 'live';
      generation += 1;
    },
    onEnd(error) {
      const isCutShort = error === null && phase !== 'live';
      finish(
        isCutShort
          ? new HubError('overflow', 'The channel ended before its slow reader got all events')
          : error,
      );
    },
  });
  signal?.addEventListener('abort', onAbort);

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const value = waiting[next];
      if (value !== undefined) {
        next += 1;
        // Removes events in bulk, because a shift of a long array moves all of it.
        if (next === waiting.length || next === 1_000) {
          waiting = waiting.slice(next);
          next = 0;
        }
        return { done: false, value };
      }
      if (end !== null) {
        const { error } = end;
        end = { error: null };
        if (error === null) return { done: true, value: undefined };
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- an abort's reason is the caller's own
        throw error;
      }
      if (reader !== null) throw new HubError('invalid', 'Another next() is still waiting');
      return new Promise((resolve, reject) => {
        reader = { resolve, reject };
        if (phase === 'behind') fill();
      });
    },
    async return() {
      waiting = [];
      next = 0;
      finish(null);
      return { done: true, value: undefined };
    },
  };
}

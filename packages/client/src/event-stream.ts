import type { Envelope } from '@openclaw/protocol';
import { HubError } from './errors.ts';
import type { TopicReader } from './topic.ts';

/** Whom a stream feeds: a reader of a topic that also hears where its events were broken off. */
export interface StreamReader extends TopicReader {
  /** The next event follows no other: a discontinuity was reported. */
  onSkip(): void;
}

/** Options of {@link createEventStream}. */
export interface EventStreamOptions {
  /** Events that may wait for the reader; the durable ones past it are read from the log when it comes to them. */
  readonly max: number;
  readonly signal: AbortSignal | undefined;
  /** Begins the reading; the returned function ends it. */
  start(reader: StreamReader): () => void;
  /** The durable events after a seq, at most `max`; takes as long as the hub is away. */
  readLog(after: number, signal: AbortSignal): Promise<readonly Envelope[]>;
}

/**
 * Events as an async iterator that begins at once, so that nothing is missed between the call and the loop. A reader
 * that is slower than its channel is `behind`: what comes is let go, and read from the log (`filling`) once what waits
 * is used up. So it gets every durable event at its own pace, while memory stays bounded.
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
  /** The last durable event that was put before the reader. */
  let last: { readonly seq: number | null; readonly epoch: string } | null = null;
  /** What came while a page was on its way. */
  let held: Envelope[] = [];
  /** The highest seq that was let go or held. */
  let newest = 0;
  /** Raised by what makes a page on its way worthless. */
  let turn = 0;

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

  function give(envelope: Envelope) {
    if (envelope.seq !== null) last = envelope;
    if (reader === null) return waiting.push(envelope);
    reader.resolve({ done: false, value: envelope });
    reader = null;
  }

  const isFull = () => reader === null && waiting.length - next >= max;
  const lastSeq = () => last?.seq ?? 0;

  function onEvent(envelope: Envelope) {
    const { seq, epoch } = envelope;
    if (phase === 'live' && !isFull()) return void give(envelope);
    // What is not in the log is worth nothing late.
    if (seq === null) return;
    newest = seq;
    if (phase === 'live') {
      phase = 'behind';
      last ??= { seq: seq - 1, epoch };
    } else if (phase === 'filling' && held.length < max) {
      held.push(envelope);
    }
  }

  function fill() {
    phase = 'filling';
    held = [];
    turn += 1;
    const mine = turn;
    options.readLog(lastSeq(), over.signal).then(
      (page) => {
        if (mine === turn && end === null) onPage(page);
      },
      (error: unknown) => {
        if (mine === turn) finish(error);
      },
    );
  }

  function onPage(page: readonly Envelope[]) {
    const before = lastSeq();
    // A restored backup numbers anew; that its events follow no others is told by the discontinuity.
    for (const envelope of page) if (envelope.epoch === last?.epoch) give(envelope);
    const hasMoved = lastSeq() > before;
    for (const envelope of held) {
      const seq = envelope.seq as number;
      if (hasMoved && seq <= lastSeq()) continue;
      if (hasMoved && (isFull() || seq !== lastSeq() + 1)) break;
      give(envelope);
    }
    held = [];
    phase = hasMoved && lastSeq() < newest ? 'behind' : 'live';
  }

  const onAbort = () => finish(signal?.reason);
  const stop = options.start({
    onEvent(envelope) {
      if (end === null) onEvent(envelope);
    },
    onSkip() {
      phase = 'live';
      turn += 1;
    },
    onEnd(error) {
      const isCutShort = error === null && phase !== 'live';
      finish(isCutShort ? new HubError('overflow', 'The channel ended before its reader') : error);
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
        // Taken out in bulk, since each shift of a long array moves all of it.
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
      if (reader !== null) throw new HubError('invalid', 'One next() at a time');
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

import type { Envelope } from '@openclaw/protocol';
import { HubError } from './errors.ts';
import type { TopicReader } from './topic.ts';

/** Options of {@link createEventStream}. */
export interface EventStreamOptions {
  /** Events that may wait for the reader; one more ends the stream with `overflow`. */
  readonly max: number;
  readonly signal: AbortSignal | undefined;
  /** Begins the reading; the returned function ends it. */
  start(reader: TopicReader): () => void;
}

/** Events as an async iterator that begins at once, so that nothing is missed between the call and the loop. */
export function createEventStream(options: EventStreamOptions): AsyncIterableIterator<Envelope> {
  const { max, signal } = options;
  signal?.throwIfAborted();
  let waiting: Envelope[] = [];
  let next = 0;
  let reader: {
    resolve(result: IteratorResult<Envelope>): void;
    reject(error: unknown): void;
  } | null = null;
  let end: { readonly error: unknown } | null = null;

  function finish(error: unknown) {
    if (end !== null) return;
    end = { error };
    signal?.removeEventListener('abort', onAbort);
    stop();
    if (reader === null) return;
    if (error === null) reader.resolve({ done: true, value: undefined });
    else reader.reject(error);
    reader = null;
  }

  const onAbort = () => finish(signal?.reason);
  const stop = options.start({
    onEvent(envelope) {
      if (end !== null) return;
      if (reader !== null) {
        reader.resolve({ done: false, value: envelope });
        reader = null;
      } else if (waiting.length - next < max) {
        waiting.push(envelope);
      } else {
        finish(new HubError('overflow', `More than ${max} events wait for their reader`));
      }
    },
    onEnd: finish,
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

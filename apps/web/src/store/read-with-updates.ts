import type { Envelope } from '@openclaw/protocol';

/** The result of a read, and the events that arrived during it. The result may be older than the events. */
export interface ReadWithUpdates<T> {
  readonly result: T;
  readonly updates: readonly Envelope[];
}

// The most events that are recorded at a time. Reads end or time out within seconds, so this is
// enough.
const recordedMax = 20_000;

/** Records the events that arrive while a read is in progress. It records none at other times. */
export function createUpdateRecorder() {
  let readsUnderWay = 0;
  let recorded: Envelope[] = [];
  async function readWithUpdates<T>(read: () => Promise<T>): Promise<ReadWithUpdates<T>> {
    const from = recorded.length;
    readsUnderWay += 1;
    try {
      const result = await read();
      return { result, updates: recorded.slice(from) };
    } finally {
      readsUnderWay -= 1;
      if (readsUnderWay === 0) recorded = [];
    }
  }
  function record(envelopes: readonly Envelope[]) {
    if (readsUnderWay > 0 && recorded.length < recordedMax) recorded.push(...envelopes);
  }
  return { readWithUpdates, record };
}

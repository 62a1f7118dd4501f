import type { Envelope } from '@openclaw/protocol';

/** `updates` are the events that arrived during the read. The result may not include their changes. */
export interface ReadWithUpdates<T> {
  readonly result: T;
  readonly updates: readonly Envelope[];
}

const recordedMax = 20_000;

/** Records events only while a read is in progress. */
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

import type { Topic } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import type { EventHandler } from './event-bus.ts';

/** The handlers of one topic. */
export class HandlerSet {
  readonly #entries = new Set<{ readonly handler: EventHandler; readonly number: number }>();
  readonly #onError: (error: unknown, topic: Topic) => void;
  #added = 0;

  constructor(onError: (error: unknown, topic: Topic) => void) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Adds a handler, also one that is there already; the returned function removes this one and says if it was there. */
  add(handler: EventHandler): () => boolean {
    this.#added += 1;
    const entry = { handler, number: this.#added };
    this.#entries.add(entry);
    return () => this.#entries.delete(entry);
  }

  /** Calls those that are there now and still are at their turn; one added meanwhile waits for the next event. */
  dispatch(event: EncodedEnvelope, topic: Topic): void {
    const last = this.#added;
    for (const { handler, number } of this.#entries) {
      if (number > last) return;
      try {
        // An async function is assignable to EventHandler: its rejection must not end the process.
        const result: unknown = handler(event, topic);
        if (result instanceof Promise)
          result.catch((error: unknown) => this.#onError(error, topic));
      } catch (error) {
        this.#onError(error, topic);
      }
    }
  }
}

import {
  RedisClientError,
  type RedisClient,
  type RedisCommand,
  type ScriptCall,
} from '@openclaw/redis-client';
import { EventsError } from './errors.ts';

/** What one publish sends. */
export type PublishCall = RedisCommand | ScriptCall;

interface Entry {
  readonly calls: readonly PublishCall[];
  readonly characters: number;
  readonly resolve: () => void;
  readonly reject: (error: EventsError) => void;
}

/** Limits of a queue. */
export interface PublishQueueOptions {
  readonly maxPending: number;
  readonly maxPendingCharacters: number;
}

/**
 * Sends all that is pushed in one tick as one pipeline. What is pushed and not yet answered is bounded, in commands and
 * in characters: past it a push is refused at once, so that a slow Redis costs neither memory nor waiting.
 */
export class PublishQueue {
  readonly #redis: Pick<RedisClient, 'pipeline'>;
  readonly #options: PublishQueueOptions;
  #batch: Entry[] = [];
  #pending = 0;
  #pendingCharacters = 0;
  readonly #inFlight = new Set<Promise<void>>();

  constructor(redis: Pick<RedisClient, 'pipeline'>, options: PublishQueueOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  /** Commands pushed and not yet answered. */
  get pending(): number {
    return this.#pending;
  }

  /** Resolves when Redis took every call. @throws {EventsError} `unavailable` */
  push(calls: readonly PublishCall[], characters: number): Promise<void> {
    const { maxPending, maxPendingCharacters } = this.#options;
    const isFull =
      this.#pending + calls.length > maxPending ||
      this.#pendingCharacters + characters > maxPendingCharacters;
    if (isFull) {
      const message = `${this.#pending} commands wait for Redis already`;
      return Promise.reject(new EventsError('unavailable', message));
    }
    this.#pending += calls.length;
    this.#pendingCharacters += characters;
    // nextTick runs after all promise callbacks that are due, so what they publish is of the same tick.
    if (this.#batch.length === 0) process.nextTick(() => this.#flush());
    return new Promise((resolve, reject) => {
      this.#batch.push({ calls, characters, resolve, reject });
    });
  }

  /** Resolves when nothing is pending. */
  async idle(): Promise<void> {
    if (this.#batch.length > 0) this.#flush();
    await Promise.all(this.#inFlight);
  }

  #flush(): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    const sent = this.#send(batch).finally(() => this.#inFlight.delete(sent));
    this.#inFlight.add(sent);
  }

  async #send(batch: readonly Entry[]): Promise<void> {
    let replies: readonly unknown[] = [];
    let refusal: unknown = null;
    try {
      replies = await this.#redis.pipeline(batch.flatMap((entry) => entry.calls));
    } catch (error) {
      refusal = error;
    }
    let place = 0;
    for (const { calls, characters, resolve, reject } of batch) {
      const own = replies.slice(place, place + calls.length);
      place += calls.length;
      this.#pending -= calls.length;
      this.#pendingCharacters -= characters;
      const cause = refusal ?? own.find((reply) => reply instanceof RedisClientError);
      if (cause === undefined) resolve();
      else reject(new EventsError('unavailable', 'Redis did not take the event', { cause }));
    }
  }
}

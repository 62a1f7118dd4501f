import {
  RedisClientError,
  type RedisClient,
  type RedisCommand,
  type ScriptCall,
} from '@openclaw/redis-client';
import { EventsError } from './errors.ts';

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
 * Sends all calls of one tick as one pipeline. The calls not yet answered are bounded, in commands and characters: more
 * are refused at once, so that a slow Redis costs neither memory nor waiting.
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
    // nextTick runs after all promise callbacks that are due, so the calls they push join this pipeline.
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
    let failure: unknown = null;
    try {
      replies = await this.#redis.pipeline(batch.flatMap((entry) => entry.calls));
    } catch (error) {
      failure = error;
    }
    let offset = 0;
    for (const { calls, characters, resolve, reject } of batch) {
      const answers = replies.slice(offset, offset + calls.length);
      offset += calls.length;
      this.#pending -= calls.length;
      this.#pendingCharacters -= characters;
      const cause = failure ?? answers.find((reply) => reply instanceof RedisClientError);
      if (cause === undefined) resolve();
      else reject(new EventsError('unavailable', 'Redis did not take the event', { cause }));
    }
  }
}

import type { RedisCommand, RedisReply } from './command.ts';
import type { RedisHealth } from './health.ts';
import type { ScriptCall } from './scripts.ts';
import type { RedisSubscriber } from './subscriber.ts';

/**
 * One Redis: a connection for commands, another for subscriptions, a circuit breaker over both's health.
 * Every call ends within its timeout. Nothing is queued for later: with Redis away a call fails at once with
 * `unavailable`. Calls made before the first connection wait for it (see {@link RedisClient.connecting}).
 */
export interface RedisClient {
  /**
   * False while the command connection is down, the breaker is open or Redis takes no writes (its memory is full, it
   * cannot save, it lacks replicas, it is a replica): calls then fail without being sent.
   */
  readonly available: boolean;
  /** Called on each change of {@link RedisClient.available}; returns what removes the listener. */
  onAvailability(listener: (available: boolean) => void): () => void;
  /**
   * True from creation to the first connection, for `connectTimeoutMs` at most: up to 1,000 calls made meanwhile wait
   * for it, and then for their own timeout. Further ones, and all when it does not come, fail with `unavailable`.
   */
  readonly connecting: boolean;
  /**
   * Resolves with true as soon as Redis is available, with false when it is not within `connectTimeoutMs` of this call
   * or the client is closed. Never rejects.
   */
  ready(): Promise<boolean>;
  /** Sends one command. @throws {RedisClientError} `unavailable`, `timeout`, `rejected`, `closed` */
  send(command: RedisCommand): Promise<RedisReply>;
  /** Runs a script by EVALSHA; one further round trip (EVAL) when the server does not know it. Errors as `send`. */
  run(call: ScriptCall): Promise<RedisReply>;
  /**
   * Sends all calls in one round trip (per node on Cluster), in order. Each place of the result holds a reply or the
   * {@link RedisClientError} of that call. Scripts that the server does not know run in a second round trip, after
   * the others. Rejects only if nothing was sent.
   */
  pipeline(calls: readonly (RedisCommand | ScriptCall)[]): Promise<RedisReply[]>;
  /** Subscriptions, on a connection of their own. */
  readonly subscriber: RedisSubscriber;
  /** Asks the server how it is (PING and INFO). Never rejects: `status: 'down'` instead. */
  health(): Promise<RedisHealth>;
  /** Ends both connections. Calls in flight reject with `closed`, later ones too. Idempotent. */
  close(): Promise<void>;
}

import type { RedisCommand, RedisReply } from './command.ts';
import type { RedisHealth } from './health.ts';
import type { ScriptCall } from './scripts.ts';
import type { RedisSubscriber } from './subscriber.ts';

/**
 * One Redis: a connection for commands, another for subscriptions, a circuit breaker over both's health.
 * Every call ends within its timeout. Nothing is queued for later: with Redis away a call fails at once with `unavailable`.
 */
export interface RedisClient {
  /** False while the command connection is down or the breaker is open: calls then fail without being sent. */
  readonly available: boolean;
  /** Called on each change of {@link RedisClient.available}; returns what removes the listener. */
  onAvailability(listener: (available: boolean) => void): () => void;
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

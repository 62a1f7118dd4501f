import type { RedisKey, Topic } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';

/** The logger of this package; a pino logger fits. */
export interface EventsLogger {
  warn(details: object, message: string): void;
}

/** Receives an event and its topic. Called synchronously. If it throws or rejects, that is logged and counted. */
export type EventHandler = (event: EncodedEnvelope, topic: Topic) => void;

/** Ends the subscription that returned it. Resolves when no further event reaches the handler. Idempotent. */
export type Unsubscribe = () => Promise<void>;

export interface PublishTargets {
  /** The topic of the event's own channel. */
  readonly channel?: boolean;
  /** The topics of these agents. */
  readonly agents?: readonly string[];
  /** The topic that every process subscribes to. */
  readonly global?: boolean;
}

/** Counters and sizes for metrics. */
export interface EventBusStats {
  /** How many publishes Redis accepted; in memory, all of them. */
  readonly published: number;
  /** Publishes that were rejected; local handlers were called nevertheless. */
  readonly failed: number;
  /** Publishes waiting for Redis' answer now. */
  readonly pending: number;
  /** Messages of other processes that were passed to handlers. */
  readonly received: number;
  /** Own messages that were received and dropped. */
  readonly echoes: number;
  /** Messages from Redis that were not an envelope, or not for their topic. They are dropped. */
  readonly malformed: number;
  /** How often a handler threw. */
  readonly handlerErrors: number;
  /** Topics with at least one handler here. */
  readonly topics: number;
}

export type ProbeResult =
  | { readonly outcome: 'back'; readonly latencyMs: number }
  /**
   * Redis accepted the message, but this bus did not receive it in time. Events of other processes do not arrive
   * either.
   */
  | { readonly outcome: 'lost' }
  /** Redis did not accept the message in time, or denied the subscription or the latest publish script (ACL). */
  | { readonly outcome: 'refused' };

/**
 * Publishes envelopes to subscribers in this and other processes. Events between processes are lost while a
 * connection is broken. Pass them through `createSequencer` to get each channel complete and in order, and through
 * `createEphemeralFilter` to get events without a seq once.
 */
export interface EventBus {
  /**
   * Calls every local handler of every target before it returns, and sends Redis all publishes of a tick in one round
   * trip. Events of channels go through a script, many in one call. The script publishes each event on its topics,
   * raises `seq:messages:{channelId}` to its seq, and deletes the cache keys of `invalidates`. If the seq skips some,
   * the script also deletes the keys of `invalidatesOnGap`, because the publishes in between were lost. Resolves when
   * Redis accepted all of it. Rejects with {@link EventsError} `unavailable` when Redis did not accept all of it in
   * time or too many publishes are waiting (local handlers were called nevertheless), `invalid_event` or `closed`. The
   * promise may be ignored: a rejection is counted and logged.
   */
  publish(
    event: EncodedEnvelope,
    to: PublishTargets,
    invalidates?: readonly RedisKey[],
    invalidatesOnGap?: readonly RedisKey[],
  ): Promise<void>;
  /**
   * Subscribes to one channel. The handler gets local publishes at once, and those of other processes once the
   * promise has resolved. While Redis is away, the promise also resolves, and the subscription starts with the
   * reconnect. A function that is subscribed twice is called twice.
   */
  subscribeChannel(channelId: string, handler: EventHandler): Promise<Unsubscribe>;
  /** Subscribes to the topic of one agent: direct messages and notices. */
  subscribeAgent(agentId: string, handler: EventHandler): Promise<Unsubscribe>;
  subscribeGlobal(handler: EventHandler): Promise<Unsubscribe>;
  /**
   * Subscribes to all channels by the pattern `pubsub:channel:*`.
   * @throws {EventsError} `unsupported` with sharded pub/sub (Redis Cluster), which has no patterns
   */
  subscribeAllChannels(handler: EventHandler): Promise<Unsubscribe>;
  /** The next seq of a channel, for systems without a log (INCR). @throws {EventsError} `unavailable` */
  nextSeq(channelId: string): Promise<number>;
  /**
   * Publishes a nonce on a topic that only this bus uses, and waits until it is received. This finds connections that
   * answer PING but deliver nothing. Costs one PUBLISH, and one SUBSCRIBE the first time. On Redis Cluster it tests
   * only the connection that serves the topic's slot.
   * @throws {EventsError} `closed`
   */
  probe(timeoutMs: number): Promise<ProbeResult>;
  /** Called when lost subscriptions are restored. Publishes during the loss were missed. Returns the unsubscribe. */
  onResubscribed(listener: () => void): () => void;
  /** True while events are exchanged with other processes in both directions. */
  readonly available: boolean;
  readonly stats: EventBusStats;
  /** Waits for pending publishes, then ends all subscriptions. Does not close the Redis client. Idempotent. */
  close(): Promise<void>;
}

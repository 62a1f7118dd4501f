import type { RedisKey, Topic } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';

/** A pino logger fits. */
export interface EventsLogger {
  warn(details: object, message: string): void;
}

/** Called synchronously. Errors that it throws are logged and counted. */
export type EventHandler = (event: EncodedEnvelope, topic: Topic) => void;

/** Ends a subscription. Resolves when no further event reaches the handler. Idempotent. */
export type Unsubscribe = () => Promise<void>;

export interface PublishTargets {
  /** The topic of the event's own channel. */
  readonly channel?: boolean;
  readonly agents?: readonly string[];
  readonly global?: boolean;
}

export interface EventBusStats {
  /** Publishes that Redis accepted. A bus in memory counts all publishes. */
  readonly published: number;
  /** Publishes that were rejected; local handlers were called nevertheless. */
  readonly failed: number;
  /** Publishes that Redis has not answered yet. */
  readonly pending: number;
  /** Messages from other processes. */
  readonly received: number;
  readonly echoes: number;
  /** Messages that were dropped, because they were no envelope or belonged to another topic. */
  readonly malformed: number;
  readonly handlerErrors: number;
  readonly topics: number;
}

export type ProbeResult =
  | { readonly outcome: 'back'; readonly latencyMs: number }
  /** Redis accepted the message, but this bus did not receive it in time. */
  | { readonly outcome: 'lost' }
  /** Redis did not accept the message in time, or an ACL denied the subscription or the publish script. */
  | { readonly outcome: 'refused' };

/**
 * Publishes envelopes to this and other processes. Events are lost while a connection is broken; `createSequencer`
 * repairs the log of a channel, and `createEphemeralFilter` drops repeated events without a seq.
 */
export interface EventBus {
  /**
   * Calls the local handlers of all targets before it returns. All publishes of a tick take one round trip. For events
   * of channels, a script publishes, raises `seq:messages:{channelId}`, and deletes the cache keys of `invalidates`. If
   * the seq skips a number, a publish was lost, and the script also deletes the keys of `invalidatesOnGap`.
   *
   * Resolves when Redis accepted all publishes of the event. Rejects with {@link EventsError} `unavailable`,
   * `invalid_event` or `closed`. A caller may ignore the promise, because rejections are counted and logged. With
   * `unavailable`, the local handlers were called nevertheless.
   */
  publish(
    event: EncodedEnvelope,
    to: PublishTargets,
    invalidates?: readonly RedisKey[],
    invalidatesOnGap?: readonly RedisKey[],
  ): Promise<void>;
  /**
   * The handler gets local publishes at once. It gets those of other processes from the moment when the promise
   * resolves. While Redis is away, the promise also resolves, and the subscription starts with the reconnect.
   */
  subscribeChannel(channelId: string, handler: EventHandler): Promise<Unsubscribe>;
  /** The agent's topic carries direct messages and notices. */
  subscribeAgent(agentId: string, handler: EventHandler): Promise<Unsubscribe>;
  subscribeGlobal(handler: EventHandler): Promise<Unsubscribe>;
  /**
   * Subscribes to the pattern `pubsub:channel:*`.
   * @throws {EventsError} `unsupported` on Redis Cluster, whose sharded pub/sub has no patterns
   */
  subscribeAllChannels(handler: EventHandler): Promise<Unsubscribe>;
  /** For systems without a log: raises the channel's seq (INCR). @throws {EventsError} `unavailable` */
  nextSeq(channelId: string): Promise<number>;
  /**
   * Publishes a nonce to itself and waits for it. Finds connections that answer PING but deliver nothing. Costs one
   * PUBLISH, and one SUBSCRIBE the first time. On Redis Cluster, only the connection of one slot is tested.
   * @throws {EventsError} `closed`
   */
  probe(timeoutMs: number): Promise<ProbeResult>;
  /** Called when lost subscriptions are restored. Publishes in between were missed. Returns the unsubscribe. */
  onResubscribed(listener: () => void): () => void;
  /** True while events are exchanged with other processes in both directions. */
  readonly available: boolean;
  readonly stats: EventBusStats;
  /** Waits for pending publishes, then ends all subscriptions. Does not close the Redis client. Idempotent. */
  close(): Promise<void>;
}

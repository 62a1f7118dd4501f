import type { RedisKey, Topic } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';

/**
 * Receives an event and the topic it came on. Called synchronously; it must not wait. What it throws (or rejects with)
 * is reported and harms no other handler.
 */
export type EventHandler = (event: EncodedEnvelope, topic: Topic) => void;

/** Ends exactly the subscription that returned it; resolves when no further event reaches it. Idempotent. */
export type Unsubscribe = () => Promise<void>;

/** The topics to publish on. */
export interface PublishTargets {
  /** The topic of the event's own channel. */
  readonly channel?: boolean;
  /** These agents' topics; an agent named twice is told once. */
  readonly agents?: readonly string[];
  /** The topic of everyone. */
  readonly global?: boolean;
}

/** What a bus has done and holds, for metrics. */
export interface EventBusStats {
  /** Publishes that Redis took (in memory: all). */
  readonly published: number;
  /** Publishes that were rejected with `unavailable`; local handlers had them all the same. */
  readonly failed: number;
  /** Commands waiting for Redis' answer now. */
  readonly pending: number;
  /** Messages of others that were handed to handlers. */
  readonly received: number;
  /** Own messages that came back, dropped unread. */
  readonly echoes: number;
  /** Messages from Redis that were no envelope or came on a topic that is not theirs; ignored. */
  readonly malformed: number;
  /** How often a handler threw. */
  readonly handlerErrors: number;
  /** Topics with at least one handler here. */
  readonly topics: number;
}

/** What became of a probe. */
export type ProbeResult =
  | { readonly outcome: 'back'; readonly latencyMs: number }
  /** Redis took it, and it did not come back in time: what others publish does not come either. */
  | { readonly outcome: 'lost' }
  /** Redis did not take it in time, does not let this process listen to it, or denied the last event (ACL). */
  | { readonly outcome: 'refused' };

/**
 * Publishes envelopes and hands them to subscribers, here and in other processes. Order and completeness across
 * processes are those of Redis pub/sub, that is none when a connection breaks: a channel's order is made whole by
 * `createSequencer`, and once-only delivery of events without a seq by `createEphemeralFilter`.
 */
export interface EventBus {
  /**
   * Hands the event to every local handler of every target before it returns, and to Redis with all other publishes of
   * the same tick in one pipeline: one script that publishes on the channel's topic, raises `seq:messages:{channelId}`
   * (never lowers it) and deletes the `outdated` cache keys (those of `outdatedByGap` too when the seq skips some, because
   * the publishes in between were lost), and one PUBLISH per agent and for the global topic. A
   * durable event raises the seq wherever it is published. Resolves when Redis took all of it.
   *
   * Rejects with {@link EventsError} `unavailable` when Redis did not answer so in time or too much waits already
   * (local delivery has happened all the same; Redis may have taken a part), `invalid_event`, `closed`. The promise may
   * be ignored: a rejection that nobody handles is counted and logged, not thrown.
   */
  publish(
    event: EncodedEnvelope,
    to: PublishTargets,
    outdated?: readonly RedisKey[],
    outdatedByGap?: readonly RedisKey[],
  ): Promise<void>;
  /**
   * Subscribes to one channel. Local publishes reach the handler at once, those of other processes when the promise has
   * resolved. While Redis is away it resolves too, and takes effect with the reconnect. The same function may subscribe
   * twice; it is then called twice.
   */
  subscribeChannel(channelId: string, handler: EventHandler): Promise<Unsubscribe>;
  /** Subscribes to what is for one agent: direct messages and notices. */
  subscribeAgent(agentId: string, handler: EventHandler): Promise<Unsubscribe>;
  /** Subscribes to what is for everyone. */
  subscribeGlobal(handler: EventHandler): Promise<Unsubscribe>;
  /**
   * Subscribes to all channels by the pattern `pubsub:channel:*`.
   * @throws {EventsError} `unsupported` with sharded pub/sub (Redis Cluster), which has no patterns
   */
  subscribeAllChannels(handler: EventHandler): Promise<Unsubscribe>;
  /** The next seq of a channel, for those who keep no log (INCR). @throws {EventsError} `unavailable` */
  nextSeq(channelId: string): Promise<number>;
  /**
   * Publishes a word on a topic of this bus's own, by the way that events go, and waits until it comes back: one PUBLISH
   * among the others of its tick, and one SUBSCRIBE, the first time. A connection may answer every PING and yet bring
   * nothing; this finds it out. On Redis Cluster it tries the one connection that holds the topic's slot.
   * @throws {EventsError} `closed`
   */
  probe(timeoutMs: number): Promise<ProbeResult>;
  /** Called when lost subscriptions stand again: what was published in between is missed. Returns its removal. */
  onResubscribed(listener: () => void): () => void;
  /** Whether events go to and come from other processes now. */
  readonly available: boolean;
  readonly stats: EventBusStats;
  /** Waits for what was published, then ends all subscriptions. The Redis client stays open. Idempotent. */
  close(): Promise<void>;
}

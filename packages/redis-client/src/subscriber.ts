import type { TopicName } from '@openclaw/key-schema';

/** Called for each message, synchronously, in Redis' order. What it throws is logged and harms no other handler. */
export type MessageHandler = (message: string, topic: string) => void;

/** Subscriptions that outlive their connection: the registry is here, and each new connection is told all of it. */
export interface RedisSubscriber {
  /**
   * Resolves when Redis confirmed, or at once while Redis is away: it then takes effect with the next connection.
   * One topic may have many handlers (the same function twice counts twice); the returned function removes exactly
   * this one, and resolves when Redis has confirmed, if it was the topic's last.
   * @throws {RedisClientError} `rejected` (Redis refuses this topic; nothing is kept), `closed`
   */
  subscribe(topic: TopicName, handler: MessageHandler): Promise<() => Promise<void>>;
  /**
   * As {@link RedisSubscriber.subscribe} for every topic that matches the pattern.
   * @throws {RedisClientError} `unsupported` on Cluster, whose sharded pub/sub has no patterns
   */
  subscribePattern(pattern: TopicName, handler: MessageHandler): Promise<() => Promise<void>>;
  /**
   * Called after a connection was lost and every topic was subscribed again: messages in between are lost, so whoever
   * needs to close a hole asks the store now. Returns what removes the listener.
   */
  onResubscribed(listener: () => void): () => void;
  /**
   * Gives the connection up and makes another, on which every topic is subscribed again; does nothing while there is
   * none. For who finds that it brings nothing, though it answers.
   */
  reconnect(): void;
  /** Whether the connection is up and every topic is confirmed on it. */
  readonly connected: boolean;
}

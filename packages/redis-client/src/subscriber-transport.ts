/** A topic, or a pattern of topics. */
export type SubscriptionKind = 'topic' | 'pattern';

/** The connection for subscriptions, whichever kind of Redis is behind it. Remembers nothing for a next connection. */
export interface SubscriberTransport {
  readonly ready: boolean;
  readonly reconnects: number;
  readonly supportsPatterns: boolean;
  /** Resolves when all are confirmed; rejects as ioredis does, and then they count as not subscribed. */
  subscribe(kind: SubscriptionKind, names: readonly string[]): Promise<unknown>;
  unsubscribe(kind: SubscriptionKind, names: readonly string[]): Promise<unknown>;
  ping(): Promise<unknown>;
  /** Destroys the socket at once (of several, those that do not answer); the next attempt follows. */
  drop(): void;
  /** Destroys every socket, whether or not it answers. */
  dropAll(): void;
  close(): Promise<void>;
}

/** What arrives: the name under which it was subscribed, and the topic it was published on. */
export type OnMessage = (
  kind: SubscriptionKind,
  name: string,
  topic: string,
  message: string,
) => void;

/** In RESP2 shape: string, number, null or array. Parse it before use. */
export type RedisReply = unknown;

/** A name, then arguments. Cluster needs the key or topic as the first argument. */
export type RedisCommand = readonly [name: string, ...args: (string | number)[]];

/** The connection for commands. Rejects with ioredis' errors and queues nothing. */
export interface CommandTransport {
  readonly ready: boolean;
  readonly reconnects: number;
  call(command: RedisCommand): Promise<RedisReply>;
  /** One round trip per node. Each result is the reply or error of its command. */
  batch(commands: readonly RedisCommand[]): Promise<RedisReply[]>;
  /** Sends the command to every server that accepts writes: one, or a Cluster's masters. */
  callEach(command: RedisCommand): Promise<RedisReply[]>;
  /** Destroys the sockets, so that the client connects again. */
  readonly drop: () => void;
  readonly close: () => Promise<void>;
}

export interface ConnectionEvents {
  readonly onReady: () => void;
  readonly onDown: () => void;
  readonly onError: (error: Error) => void;
}

export type SubscriptionKind = 'topic' | 'pattern';

/** The connection for subscriptions. A new connection has no subscription. */
export interface SubscriberTransport {
  readonly ready: boolean;
  readonly reconnects: number;
  readonly supportsPatterns: boolean;
  /** Resolves when all names are confirmed. After a rejection, none of them counts as subscribed. */
  subscribe(kind: SubscriptionKind, names: readonly string[]): Promise<unknown>;
  unsubscribe(kind: SubscriptionKind, names: readonly string[]): Promise<unknown>;
  ping(): Promise<unknown>;
  /** Destroys the socket, or on Cluster the sockets that do not answer, so that the client connects again. */
  drop(): void;
  /** Also destroys sockets that answer. */
  dropAll(): void;
  close(): Promise<void>;
}

/** `name`: the subscribed topic or pattern. `topic`: where the message was published. */
export type OnMessage = (
  kind: SubscriptionKind,
  name: string,
  topic: string,
  message: string,
) => void;

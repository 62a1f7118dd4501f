/** A reply of Redis in its RESP2 shape: string, number, null or array. Parse it before use. */
export type RedisReply = unknown;

/** A command as data: its name, then its arguments. Cluster needs the key or topic as the first argument. */
export type RedisCommand = readonly [name: string, ...args: (string | number)[]];

/** The connection for commands, to any kind of Redis. Rejects with ioredis' errors and queues nothing. */
export interface CommandTransport {
  readonly ready: boolean;
  readonly reconnects: number;
  call(command: RedisCommand): Promise<RedisReply>;
  /** One round trip per node. Each place holds the reply or the error of its command. */
  batch(commands: readonly RedisCommand[]): Promise<RedisReply[]>;
  /** Sends the command to every server that accepts writes: one, or the masters of a Cluster. */
  callEach(command: RedisCommand): Promise<RedisReply[]>;
  /** Destroys the sockets now. The next attempt to connect follows. */
  readonly drop: () => void;
  readonly close: () => Promise<void>;
}

export interface ConnectionEvents {
  readonly onReady: () => void;
  readonly onDown: () => void;
  readonly onError: (error: Error) => void;
}

/** A topic, or a pattern of topics. */
export type SubscriptionKind = 'topic' | 'pattern';

/** The connection for subscriptions, to any kind of Redis. A new connection starts without subscriptions. */
export interface SubscriberTransport {
  readonly ready: boolean;
  readonly reconnects: number;
  readonly supportsPatterns: boolean;
  /** Resolves when all names are confirmed. After a rejection none of them counts as subscribed. */
  subscribe(kind: SubscriptionKind, names: readonly string[]): Promise<unknown>;
  unsubscribe(kind: SubscriptionKind, names: readonly string[]): Promise<unknown>;
  ping(): Promise<unknown>;
  /** Destroys the socket now, or on Cluster those sockets that do not answer. The next attempt follows. */
  drop(): void;
  /** Destroys every socket, even one that answers. */
  dropAll(): void;
  close(): Promise<void>;
}

/** Receives a message with the name under which it was subscribed and the topic on which it was published. */
export type OnMessage = (
  kind: SubscriptionKind,
  name: string,
  topic: string,
  message: string,
) => void;

import type { RedisCommand, RedisReply } from './command.ts';

/** The connection for commands, whichever kind of Redis is behind it. Rejects as ioredis does; nothing is queued. */
export interface CommandTransport {
  readonly ready: boolean;
  readonly reconnects: number;
  call(command: RedisCommand): Promise<RedisReply>;
  /** One round trip per node; each place holds a reply or that command's error. */
  batch(commands: readonly RedisCommand[]): Promise<RedisReply[]>;
  /** The command on every server that takes writes: one, or the masters of a Cluster. */
  callEach(command: RedisCommand): Promise<RedisReply[]>;
  /** Destroys the sockets at once; the next attempt follows. */
  readonly drop: () => void;
  readonly close: () => Promise<void>;
}

/** What is told about a connection's life. */
export interface LinkEvents {
  onReady(): void;
  onDown(): void;
  onError(error: Error): void;
}

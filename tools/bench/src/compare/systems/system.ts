import type { RedisServer } from '@openclaw/test-support';
import type { DialectName } from '../dialects/dialects.ts';

export interface RunningSystem extends AsyncDisposable {
  readonly port: number;
  readonly pids: { readonly server: number; readonly redis: number };
  /** The time from the start of the server's process to its first answer. Redis runs already. */
  readonly startMs: number;
  /** Stops the server like a deployment, and starts it again on the same port. */
  restart(): Promise<void>;
}

export interface Membership {
  readonly agentId: string;
  readonly channelIds: readonly string[];
}

export interface System {
  readonly name: string;
  readonly dialect: DialectName;
  readonly description: string;
  /**
   * Installs, once, what only this system needs. Returns the reason why it cannot run here, or null. Calls `tell`
   * before a step that takes minutes.
   */
  install?(tell: (line: string) => void): Promise<string | null>;
  start(redis: RedisServer): Promise<RunningSystem>;
  /** Creates what must exist before clients connect, such as channels. */
  prepare(running: RunningSystem, members: readonly Membership[]): Promise<void>;
}

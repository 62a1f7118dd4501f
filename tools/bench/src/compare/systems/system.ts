import type { RedisServer } from '@openclaw/test-support';
import type { DialectName } from '../dialects/dialects.ts';

/** A server of a system, with its own Redis. `await using` stops both. */
export interface RunningSystem extends AsyncDisposable {
  readonly port: number;
  readonly pids: { readonly server: number; readonly redis: number };
  /** From the start of the server's process until it answers, its Redis being there already. */
  readonly startMs: number;
  /** Ends the server as a deployment does, and starts it again on the same port. */
  restart(): Promise<void>;
}

/** An agent and its channels. */
export interface Membership {
  readonly agentId: string;
  readonly channelIds: readonly string[];
}

/** Something that is measured. */
export interface System {
  readonly name: string;
  readonly dialect: DialectName;
  /** One sentence for the report: what it keeps and checks, so that readers know what is compared. */
  readonly description: string;
  /**
   * Brings what the system needs and this project does not, once. Returns why it cannot run here, or null. `tell` is called
   * before what takes minutes.
   */
  install?(tell: (line: string) => void): Promise<string | null>;
  start(redis: RedisServer): Promise<RunningSystem>;
  /** Creates what must be there before clients connect. */
  prepare(running: RunningSystem, members: readonly Membership[]): Promise<void>;
}

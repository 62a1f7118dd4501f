import { checkId } from '@openclaw/key-schema';

/** One agent in one channel. */
export interface Typer {
  readonly channelId: string;
  readonly agentId: string;
}

/**
 * Records which agents are typing, in Redis or in memory. An agent counts as typing until it stops, or until ten
 * seconds after its last start. Every method rejects with `closed` after `close()`, and with a `KeySchemaError` for a
 * bad id.
 */
export interface Typing {
  /** Resolves with true if the agent was not typing before. A refresh resolves with false and need not be announced. */
  start(channelId: string, agentId: string): Promise<boolean>;
  /** Resolves with true if the agent was typing. */
  stop(channelId: string, agentId: string): Promise<boolean>;
  /** The agents that are typing, latest start last; at most 1,000. Writes nothing. */
  list(channelId: string): Promise<string[]>;
  /** The time of the agent's last start, in ms of Redis time; null if it is not typing. */
  lastStartMs(channelId: string, agentId: string): Promise<number | null>;
  /** For each agent the ms until it stops counting as typing; 0 if it is not typing. One round trip. */
  remainingMs(typers: readonly Typer[]): Promise<number[]>;
  close(): Promise<void>;
}

/** The most agents in a list. */
export const listMax = 1000;

/** Returns the ids. @throws {KeySchemaError} `invalid_id` for an id that cannot be part of a Redis key. */
export function checkTyper({ channelId, agentId }: Typer): Typer {
  return { channelId: checkId(channelId), agentId: checkId(agentId) };
}

import { checkId } from '@openclaw/key-schema';

/** One agent in one channel, or in a thread of it. An agent can type in several threads at a time. */
export interface Typer {
  readonly channelId: string;
  readonly agentId: string;
  /** Null or absent: in the channel, outside of its threads. */
  readonly threadId?: string | null | undefined;
}

/**
 * Records which agents are typing, in Redis or in memory. An agent counts as typing until it stops, or until ten
 * seconds after its last start. Every method rejects with `closed` after `close()`, and with a `KeySchemaError` for a
 * bad id.
 */
export interface Typing {
  /** Resolves with true if the agent was not typing there before. A refresh resolves with false and need not be announced. */
  start(channelId: string, agentId: string, threadId?: string | null): Promise<boolean>;
  /** Resolves with true if the agent was typing there. The agent's typing in other threads continues. */
  stop(channelId: string, agentId: string, threadId?: string | null): Promise<boolean>;
  /**
   * The agents that are typing, latest start last; at most 1,000. With a thread's id, lists only the agents in that
   * thread; with null, only those outside of threads; without an id, those anywhere in the channel. Writes nothing.
   */
  list(channelId: string, threadId?: string | null): Promise<string[]>;
  /** The time of the agent's last start, in ms of Redis time; null if it is not typing. */
  lastStartMs(channelId: string, agentId: string, threadId?: string | null): Promise<number | null>;
  /** For each agent the ms until it stops counting as typing; 0 if it is not typing. One round trip. */
  remainingMs(typers: readonly Typer[]): Promise<number[]>;
  close(): Promise<void>;
}

/** The most agents in a list. */
export const listMax = 1000;

/** A {@link Typer} with ids that were checked. */
export interface CheckedTyper extends Typer {
  readonly threadId: string | null;
}

/** Returns the ids. @throws {KeySchemaError} `invalid_id` for an id that cannot be part of a Redis key. */
export function checkTyper({ channelId, agentId, threadId = null }: Typer): CheckedTyper {
  return {
    channelId: checkId(channelId),
    agentId: checkId(agentId),
    threadId: threadId === null ? null : checkId(threadId),
  };
}

/** The agent as a member of its channel's sorted set. No id contains a colon. */
export function encodeTyper({
  agentId,
  threadId,
}: Pick<CheckedTyper, 'agentId' | 'threadId'>): string {
  return threadId === null ? agentId : `${agentId}:${threadId}`;
}

import { checkId } from '@openclaw/key-schema';

/** One agent in a channel or thread. An agent can type in several threads at a time. */
export interface Typer {
  readonly channelId: string;
  readonly agentId: string;
  /** Null or absent: outside of threads. */
  readonly threadId?: string | null | undefined;
}

/**
 * Records which agents are typing. An agent counts as typing until it stops, or until ten seconds after its last start.
 * Methods reject with `closed` after `close()`, and with a `KeySchemaError` for a bad id.
 */
export interface Typing {
  /** True if the agent was not typing there. False for a refresh, which need not be announced. */
  start(channelId: string, agentId: string, threadId?: string | null): Promise<boolean>;
  /** True if the agent was typing there. The agent's typing in other threads continues. */
  stop(channelId: string, agentId: string, threadId?: string | null): Promise<boolean>;
  /**
   * At most 1,000 agents, latest start last. `threadId`: a thread; null: outside of threads; absent: the whole channel.
   * Writes nothing.
   */
  list(channelId: string, threadId?: string | null): Promise<string[]>;
  /** The agent's last start, in ms of Redis time; null if it is not typing. */
  lastStartMs(channelId: string, agentId: string, threadId?: string | null): Promise<number | null>;
  /** The time until each agent stops counting as typing; 0 for an agent that is not typing. One round trip. */
  remainingMs(typers: readonly Typer[]): Promise<number[]>;
  close(): Promise<void>;
}

export const listMax = 1000;

export interface CheckedTyper extends Typer {
  readonly threadId: string | null;
}

/** @throws {KeySchemaError} `invalid_id` */
export function checkTyper({ channelId, agentId, threadId = null }: Typer): CheckedTyper {
  return {
    channelId: checkId(channelId),
    agentId: checkId(agentId),
    threadId: threadId === null ? null : checkId(threadId),
  };
}

/** Returns a member of the channel's sorted set. The colon can be the separator, because no id contains one. */
export function encodeTyper({
  agentId,
  threadId,
}: Pick<CheckedTyper, 'agentId' | 'threadId'>): string {
  return threadId === null ? agentId : `${agentId}:${threadId}`;
}

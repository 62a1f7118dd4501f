/** One agent in one channel. */
export interface Typer {
  readonly channelId: string;
  readonly agentId: string;
}

/** Who is typing where. Someone who does not say that it stopped is dropped ten seconds after it last said it typed. */
export interface Typing {
  /** The agent types. Resolves with whether that is a change; a refresh is none, and nobody need hear of it. */
  start(channelId: string, agentId: string): Promise<boolean>;
  /** The agent types no more. Resolves with whether it did until now. */
  stop(channelId: string, agentId: string): Promise<boolean>;
  /** Who types, whoever typed last at the end; at most 1,000. Writes nothing. */
  list(channelId: string): Promise<string[]>;
  /** When the agent last said that it types, in ms of Redis time; null if it does not type. */
  lastStartMs(channelId: string, agentId: string): Promise<number | null>;
  /** Of each, the ms until it counts as stopped unless it types on; 0: it does not type. One round trip. */
  remainingMs(typers: readonly Typer[]): Promise<number[]>;
  /** Later calls reject with `closed`. */
  close(): Promise<void>;
}

/** The most agents that a list names. */
export const listMax = 1000;

export interface Identity {
  readonly agentId: string;
  readonly channelIds: readonly string[];
  /** The client resumes by these values, such as positions in channels. Each dialect has different ones. */
  readonly memory: Map<string, string | number>;
}

export interface Listener {
  send(text: string): void;
  /** The client receives the messages of all its channels from now on. */
  ready(): void;
  message(content: string): void;
  accepted(index: number): void;
  refused(answer: string): void;
  reconnect(afterMs: number): void;
  /** The server cannot deliver the missed messages. */
  positionLost(): void;
}

export interface Conversation {
  opened(): void;
  read(text: string): void;
}

export interface Dialect {
  readonly protocol: string | null;
  path(agentId: string): string;
  converse(identity: Identity, listener: Listener): Conversation;
  publication(index: number, channelId: string, content: string): string;
  /**
   * This text occurs only in refusals. A client that only counts messages searches for it instead of parsing frames.
   */
  readonly refusalMark: string;
  /** A client that only counts messages must answer the system's own pings with `pong`. Null for pings of WebSocket. */
  readonly ping: {
    /** A ping frame begins with this text. */
    readonly alone: string;
    /** This ping is inside a frame with several messages. Null if the system sends none. */
    readonly inside: string | null;
    readonly pong: string;
  } | null;
}

export interface Identity {
  readonly agentId: string;
  readonly channelIds: readonly string[];
  /** The client's state for a resume, such as positions in channels. Each dialect has its own values. */
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
   * A text that occurs only in refusals. A client that only counts messages searches for it and does not parse frames.
   */
  readonly refusalMark: string;
  /**
   * Null if the system uses the pings of WebSocket. Otherwise a client that only counts messages must find the system's
   * own pings, and answer `pong`.
   */
  readonly ping: {
    /** A ping frame begins with this text. */
    readonly alone: string;
    /** A ping among several messages of one frame has this text. Null if the system sends no such pings. */
    readonly inside: string | null;
    readonly pong: string;
  } | null;
}

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
  /** Occurs only in refusals. A counting client searches for it, because it does not parse frames. */
  readonly refusalMark: string;
  /** A counting client must answer the system's own pings with `pong`. Null for pings of WebSocket. */
  readonly ping: {
    /** A ping frame begins with this text. */
    readonly alone: string;
    /** This ping is inside a frame with several messages. Null if the system sends none. */
    readonly inside: string | null;
    readonly pong: string;
  } | null;
}

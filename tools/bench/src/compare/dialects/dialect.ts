/** The state that a client keeps between its connections. */
export interface Identity {
  readonly agentId: string;
  readonly channelIds: readonly string[];
  /** The values by which the client resumes, such as positions in channels. Each dialect has different ones. */
  readonly memory: Map<string, string | number>;
}

/** The callbacks by which a conversation reports to its client. */
export interface Listener {
  send(text: string): void;
  /** From now on the client receives the messages of all its channels. */
  ready(): void;
  /** The text of a delivered message. */
  message(content: string): void;
  /** The server has accepted the message with this number. */
  accepted(index: number): void;
  refused(answer: string): void;
  /** The server asks the client to reconnect after a time. */
  reconnect(afterMs: number): void;
  /** The server reports that it cannot deliver the missed messages. */
  positionLost(): void;
}

/** One connection. */
export interface Conversation {
  opened(): void;
  /** Reads a whole frame. */
  read(text: string): void;
}

/** The protocol between clients and one system. */
export interface Dialect {
  readonly protocol: string | null;
  path(agentId: string): string;
  converse(identity: Identity, listener: Listener): Conversation;
  /** The frame that sends a message. */
  publication(index: number, channelId: string, content: string): string;
  /** A text that occurs only in refusals. A counting client, which does not parse frames, looks for it. */
  readonly refusalMark: string;
  /** The system's own pings, which a counting client must answer with `pong`. Null for pings of WebSocket. */
  readonly ping: {
    /** The beginning of a frame that is a ping. */
    readonly alone: string;
    /** A ping in a frame that holds several messages; null if there are none. */
    readonly inside: string | null;
    readonly pong: string;
  } | null;
}

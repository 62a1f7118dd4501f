/** The knowledge that a client keeps between its connections. */
export interface Identity {
  readonly agentId: string;
  readonly channelIds: readonly string[];
  /** Positions in channels and the like, by which the client resumes; each dialect has its own. */
  readonly memory: Map<string, string | number>;
}

/** A conversation reports to its client through it. */
export interface Listener {
  send(text: string): void;
  /** The client receives the messages of all of its channels from now on. */
  ready(): void;
  /** The text of a delivered message. */
  message(content: string): void;
  /** The server has accepted the message with this number. */
  accepted(index: number): void;
  refused(answer: string): void;
  /** The server asks the client to come back after a time. */
  reconnect(afterMs: number): void;
  /** The server says that it cannot give what was missed. */
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
  /** Text by which a counting client, which does not read frames, recognizes a refusal. */
  readonly refusalMark: string;
  /** The system's own pings, which a counting client must answer with `pong`. Null for pings of WebSocket. */
  readonly ping: {
    /** A frame that begins so is a ping. */
    readonly alone: string;
    /** A ping in a frame that holds several messages; null if there are none. */
    readonly inside: string | null;
    readonly pong: string;
  } | null;
}

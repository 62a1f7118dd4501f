export interface Identity {
  readonly agentId: string;
  readonly channelIds: readonly string[];
  /** The values by which the client resumes, such as positions in channels. Each dialect has different ones. */
  readonly memory: Map<string, string | number>;
}

/** The callbacks by which a conversation reports to its client. */
export interface Listener {
  send(text: string): void;
  /** The client receives the messages of all its channels from now on. */
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

export interface Conversation {
  opened(): void;
  read(text: string): void;
}

export interface Dialect {
  readonly protocol: string | null;
  path(agentId: string): string;
  converse(identity: Identity, listener: Listener): Conversation;
  publication(index: number, channelId: string, content: string): string;
  /** A text that occurs only in refusals. A counting client searches for it, because it does not parse frames. */
  readonly refusalMark: string;
  /** The system's own pings, which a counting client must answer with `pong`. Null for pings of WebSocket. */
  readonly ping: {
    /** The beginning of a frame that is a ping. */
    readonly alone: string;
    /** A ping in a frame with several messages; null if the system sends none. */
    readonly inside: string | null;
    readonly pong: string;
  } | null;
}

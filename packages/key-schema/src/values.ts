/** `presence:{channelId}:{agentId}`, as HGETALL returns it: all strings. A field that is null in an event is absent. */
export interface PresenceHash {
  readonly agentId: string;
  /** An agent that is offline has no hash. */
  readonly status: 'online' | 'away' | 'dnd';
  readonly customStatus?: string;
  readonly avatar?: string;
  /** The application's own data, as JSON. */
  readonly metadata?: string;
  /** Milliseconds of Redis time, in decimal. */
  readonly lastSeen: string;
}

/** The kind of a sender in its token; `hub` for events that no caller causes. */
type SenderKind = 'agent' | 'person' | 'service' | 'hub';

/**
 * An element of the JSON array in `messages:{channelId}:recent`: a message as clients receive it. Times are epoch
 * milliseconds.
 */
export interface CachedMessage {
  readonly id: string;
  readonly channelId: string;
  /** The seq of the event that created it; 1 is the first. */
  readonly seq: number;
  readonly senderId: string;
  /** Null for messages from before the hub knew the kinds of senders. */
  readonly senderKind: SenderKind | null;
  readonly state: 'complete' | 'streaming' | 'stopped' | 'failed' | 'interrupted';
  /** Empty once the message is deleted. */
  readonly content: string;
  readonly timestamp: number;
  /** Id of the thread's root message. */
  readonly threadId: string | null;
  /** The hub omits optional fields that would be null or false. */
  readonly replyTo?: string;
  readonly mentions: readonly string[];
  readonly mentionsAll?: boolean;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly clientMessageId?: string;
  readonly ask?: { readonly to: readonly string[]; readonly deadlineMs: number };
  readonly origin?: {
    readonly via: 'ws' | 'rest' | 'mcp' | 'a2a' | 'webhook';
    readonly onBehalfOf: string | null;
    readonly cause: readonly string[];
    readonly taint: readonly string[];
  };
  readonly editedAt: number | null;
  readonly deletedAt: number | null;
  /** For each emoji, the agents who reacted with it. */
  readonly reactions: Readonly<Record<string, readonly string[]>>;
}

/** The JSON object in `channel:{channelId}`: a channel as clients receive it. Times are epoch milliseconds. */
export interface CachedChannel {
  readonly channelId: string;
  readonly name: string;
  readonly kind: 'public' | 'private' | 'direct';
  readonly topic: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly archivedAt: number | null;
  /** The seq of the channel's newest event; 0 before the first. */
  readonly head: number;
}

/** The shape of every message on the topics of channels and agents and on the global topic. */
export interface PublishedEnvelope {
  readonly id: string;
  readonly event: { readonly type: string; readonly channelId: string | null };
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly senderId: string;
  readonly senderKind: SenderKind | null;
  readonly channelId: string | null;
  /** Position in the channel's log; null for an ephemeral event. */
  readonly seq: number | null;
  /** The database's identity; a restored backup changes it. */
  readonly epoch: string;
}

/** A value in the hash `log:latest`: the newest event that a hub committed. */
export interface LatestEvent {
  /** The epoch of the commit. An event of another epoch says nothing about this database. */
  readonly epoch: string;
  readonly channelId: string;
  readonly seq: number;
  readonly id: string;
}

/** A value in the hash `turns:{channelId}:states`: an agent's activity. */
export interface TurnRecord {
  readonly state: 'queued' | 'thinking' | 'tool' | 'streaming' | 'waiting';
  readonly label: string | null;
  readonly queueDepth: number | null;
}

/** The value under each key, after JSON.parse where it is JSON. A number that Redis stores is a decimal string. */
export interface KeyValues {
  readonly channelTopic: PublishedEnvelope;
  readonly agentTopic: PublishedEnvelope;
  readonly globalTopic: PublishedEnvelope;
  readonly probeTopic: string;
  /** The event's id, its `traceparent`, and a `tracestate` if there is one, with spaces between. */
  readonly traceTopic: string;
  readonly presence: PresenceHash;
  /** Encoded {@link RosterMember} → end of the lease, milliseconds of Redis time. */
  readonly roster: ReadonlyMap<string, number>;
  /** The roster's members with spaces between the ids; a space sorts below every character of an id. */
  readonly rosterAgents: ReadonlySet<string>;
  /** agentId, or `agentId:threadId` in a thread → its last start, milliseconds of Redis time. */
  readonly typing: ReadonlyMap<string, number>;
  /** agentId, or `agentId:threadId` in a thread → the end of its lease, milliseconds of Redis time. */
  readonly turns: ReadonlyMap<string, number>;
  readonly turnStates: Readonly<Record<string, TurnRecord>>;
  readonly channel: CachedChannel;
  readonly channelMembers: ReadonlySet<string>;
  /** Oldest first, at most `recentMessagesMax`. */
  readonly recentMessages: readonly CachedMessage[];
  readonly sequence: string;
  readonly cachedValue: unknown;
  readonly cachedValueLease: string;
  /** hubId → its newest event. */
  readonly latestEvents: Readonly<Record<string, LatestEvent>>;
  readonly databaseHub: string;
  readonly rateLimit: string;
  /**
   * A hash: the time of a slice's latest request → the slice's number of requests. `newest` and `requests` describe
   * the newest slice; `oldest` and `blocked` are times.
   */
  readonly rateLimitWindow: Readonly<Record<string, string>>;
}

/** `presence:{channelId}:{agentId}`, as HGETALL returns it. A field that is null in an event is absent. */
export interface PresenceHash {
  readonly agentId: string;
  /** An offline agent has no hash. */
  readonly status: 'online' | 'away' | 'dnd';
  readonly customStatus?: string;
  readonly avatar?: string;
  /** The application's data, as JSON. */
  readonly metadata?: string;
  /** Milliseconds of Redis time, in decimal. */
  readonly lastSeen: string;
}

/** `hub` is for events that no caller causes. */
type SenderKind = 'agent' | 'person' | 'service' | 'hub';

/** An element of the JSON array in `messages:{channelId}:recent`. Times are epoch milliseconds. */
export interface CachedMessage {
  readonly id: string;
  readonly channelId: string;
  readonly seq: number;
  readonly senderId: string;
  /** Null for messages from before sender kinds existed. */
  readonly senderKind: SenderKind | null;
  readonly state: 'complete' | 'streaming' | 'stopped' | 'failed' | 'interrupted';
  /** Empty after deletion. */
  readonly content: string;
  readonly timestamp: number;
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
  /** Emoji → the agents who reacted with it. */
  readonly reactions: Readonly<Record<string, readonly string[]>>;
}

/** The JSON object in `channel:{channelId}`. Times are epoch milliseconds. */
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

export interface PublishedEnvelope {
  readonly id: string;
  readonly event: { readonly type: string; readonly channelId: string | null };
  readonly timestamp: number;
  readonly senderId: string;
  readonly senderKind: SenderKind | null;
  readonly channelId: string | null;
  /** Null for an ephemeral event. */
  readonly seq: number | null;
  /** The database's identity, which a restore changes. */
  readonly epoch: string;
}

/** A value in the hash `log:latest`. */
export interface LatestEvent {
  /** The database's epoch at the commit. Ignore events of other epochs. */
  readonly epoch: string;
  readonly channelId: string;
  readonly seq: number;
  readonly id: string;
}

/** A value in the hash `turns:{channelId}:states`. */
export interface TurnRecord {
  readonly state: 'queued' | 'thinking' | 'tool' | 'streaming' | 'waiting';
  readonly label: string | null;
  readonly queueDepth: number | null;
}

/**
 * The value of each key, after JSON.parse where it is JSON. Numbers in Redis strings and hash fields stay decimal
 * strings. Scores of sorted sets are numbers.
 */
export interface KeyValues {
  readonly channelTopic: PublishedEnvelope;
  readonly agentTopic: PublishedEnvelope;
  readonly globalTopic: PublishedEnvelope;
  readonly probeTopic: string;
  /** The event's id, its `traceparent`, and an optional `tracestate`, with spaces between. */
  readonly traceTopic: string;
  readonly presence: PresenceHash;
  /** Encoded {@link RosterMember} → end of the lease, milliseconds of Redis time. */
  readonly roster: ReadonlyMap<string, number>;
  /** The roster's members, with spaces instead of colons. A space sorts below every character of an id. */
  readonly rosterAgents: ReadonlySet<string>;
  /** agentId, or `agentId:threadId` in a thread → its last start, milliseconds of Redis time. */
  readonly typing: ReadonlyMap<string, number>;
  /** agentId, or `agentId:threadId` in a thread → the end of its lease, milliseconds of Redis time. */
  readonly turns: ReadonlyMap<string, number>;
  readonly turnStates: Readonly<Record<string, TurnRecord>>;
  readonly channel: CachedChannel;
  readonly channelMembers: ReadonlySet<string>;
  /** Oldest first. */
  readonly recentMessages: readonly CachedMessage[];
  readonly sequence: string;
  readonly cachedValue: unknown;
  readonly cachedValueLease: string;
  /** hubId → its newest event. */
  readonly latestEvents: Readonly<Record<string, LatestEvent>>;
  readonly databaseHub: string;
  readonly rateLimit: string;
  /**
   * `newest`: the time of the newest slice's latest request. `requests`: the number of requests in that slice. Each
   * older slice has a field of its own: the time of its latest request → its number of requests. `oldest`: the time of
   * the oldest slice. `blocked`: the end of a block, or 0.
   */
  readonly rateLimitWindow: Readonly<Record<string, string>>;
}

import type { KeyValues } from './values.ts';

export const ttlMs = {
  presence: 300_000,
  typing: 10_000,
  turns: 30_000,
  channel: 3_600_000,
  channelMembers: 3_600_000,
  recentMessages: 300_000,
  /** The longest TTL of a cached value. */
  cachedValueMax: 30 * 24 * 3_600_000,
  /** The longest time for which other processes wait while one process loads a value. */
  cachedValueLeaseMax: 60_000,
  rateLimit: 60_000,
  databaseHub: 10_000,
} as const;

export const recentMessagesMax = 50;

/** A row of the table in the README. */
export interface KeyTableEntry {
  /** The name after the prefix, ids in braces. */
  readonly pattern: string;
  readonly redisType: 'topic' | 'string' | 'hash' | 'set' | 'zset';
  /** Milliseconds. `leases`: the key ends with its last lease. `caller`: the caller chooses. Null: no TTL. */
  readonly ttlMs: number | 'leases' | 'caller' | null;
  readonly value: string;
  readonly purpose: string;
  readonly owner: 'events' | 'presence' | 'typing' | 'cache' | 'ratelimit' | 'chat-hub';
  /** `EPIC`: the EPIC prescribes the name. `ours`: `purpose` says why the name exists. */
  readonly source: 'EPIC' | 'ours';
}

const eventTopic = {
  redisType: 'topic',
  ttlMs: null,
  value: 'JSON of PublishedEnvelope',
  owner: 'events',
  source: 'EPIC',
} as const;

/** Every key and topic, under the name of its maker in {@link KeySchema}. */
export const keyTable = {
  channelTopic: {
    ...eventTopic,
    pattern: 'pubsub:channel:{channelId}',
    purpose: "A channel's live events",
  },
  agentTopic: {
    ...eventTopic,
    pattern: 'pubsub:agent:{agentId}',
    purpose: 'Direct messages and notices for one agent',
  },
  globalTopic: { ...eventTopic, pattern: 'pubsub:global', purpose: 'System-wide broadcasts' },
  probeTopic: {
    pattern: 'pubsub:probe:{probeId}',
    redisType: 'topic',
    ttlMs: null,
    value: 'a random word',
    purpose: 'Finds a subscriber connection that answers PING and delivers nothing',
    owner: 'events',
    source: 'ours',
  },
  traceTopic: {
    pattern: 'pubsub:trace',
    redisType: 'topic',
    ttlMs: null,
    value: 'event id and W3C trace context',
    purpose: 'Joins the spans of several hubs; only with HUB_TRACING=on',
    owner: 'chat-hub',
    source: 'ours',
  },
  presence: {
    pattern: 'presence:{channelId}:{agentId}',
    redisType: 'hash',
    ttlMs: ttlMs.presence,
    value: 'PresenceHash',
    purpose: 'The state of an agent in a channel',
    owner: 'presence',
    source: 'EPIC',
  },
  roster: {
    pattern: 'roster:{channelId}',
    redisType: 'zset',
    ttlMs: 'leases',
    value: '`agentId:hubId:sessionId` → end of the lease, ms',
    purpose: 'Lists present agents without KEYS or SCAN, and finds expired leases',
    owner: 'presence',
    source: 'ours',
  },
  rosterAgents: {
    pattern: 'roster:{channelId}:agents',
    redisType: 'zset',
    ttlMs: 'leases',
    value: '`agentId hubId sessionId` → 0',
    purpose: 'The leases sorted by agent, for pages and for the other leases of an agent',
    owner: 'presence',
    source: 'ours',
  },
  typing: {
    pattern: 'typing:{channelId}',
    redisType: 'zset',
    ttlMs: ttlMs.typing,
    value: 'agentId, or `agentId:threadId` in a thread → its last start, ms',
    purpose: 'Who is typing',
    owner: 'typing',
    source: 'EPIC',
  },
  turns: {
    pattern: 'turns:{channelId}',
    redisType: 'zset',
    ttlMs: ttlMs.turns,
    value: 'agentId, or `agentId:threadId` in a thread → end of the lease, ms',
    purpose: 'Which agents are at work',
    owner: 'typing',
    source: 'ours',
  },
  turnStates: {
    pattern: 'turns:{channelId}:states',
    redisType: 'hash',
    ttlMs: ttlMs.turns,
    value: 'member of `turns:{channelId}` → JSON of TurnRecord',
    purpose: 'What these agents are doing',
    owner: 'typing',
    source: 'ours',
  },
  channel: {
    pattern: 'channel:{channelId}',
    redisType: 'string',
    ttlMs: ttlMs.channel,
    value: 'JSON of CachedChannel',
    purpose: "Cache of the channel's row",
    owner: 'cache',
    source: 'EPIC',
  },
  channelMembers: {
    pattern: 'channel:{channelId}:members',
    redisType: 'set',
    ttlMs: ttlMs.channelMembers,
    value: 'agentIds',
    purpose: "Cache of the channel's members; never used for rights",
    owner: 'cache',
    source: 'EPIC',
  },
  recentMessages: {
    pattern: 'messages:{channelId}:recent',
    redisType: 'string',
    ttlMs: ttlMs.recentMessages,
    value: `JSON array of CachedMessage, oldest first, at most ${recentMessagesMax}`,
    purpose: 'Cache of the newest messages',
    owner: 'cache',
    source: 'EPIC',
  },
  sequence: {
    pattern: 'seq:messages:{channelId}',
    redisType: 'string',
    ttlMs: null,
    value: 'decimal number',
    purpose: 'The highest published seq; only raised; losing it is harmless',
    owner: 'events',
    source: 'EPIC',
  },
  latestEvents: {
    pattern: 'log:latest',
    redisType: 'hash',
    ttlMs: null,
    value: 'hubId → JSON of LatestEvent; the 32 newest',
    purpose:
      'The newest event of each hub: if the log lacks one, a starting hub knows that a backup was restored',
    owner: 'chat-hub',
    source: 'ours',
  },
  databaseHub: {
    pattern: 'hub:database',
    redisType: 'string',
    ttlMs: ttlMs.databaseHub,
    value: 'hubId',
    purpose:
      'A hub that reaches the database: a hub that has lost it reads from this whether it is alone',
    owner: 'chat-hub',
    source: 'ours',
  },
  cachedValue: {
    pattern: 'cache:{valueName}',
    redisType: 'string',
    ttlMs: 'caller',
    value: 'JSON; empty: too large to be cached',
    purpose: "Cache of an application's own value",
    owner: 'cache',
    source: 'ours',
  },
  cachedValueLease: {
    pattern: 'cache:{valueName}:lease',
    redisType: 'string',
    ttlMs: ttlMs.cachedValueLeaseMax,
    value: 'a random word',
    purpose:
      'Lets one process at a time load a value; a deletion ends it, so that an old load cannot fill',
    owner: 'cache',
    source: 'ours',
  },
  rateLimit: {
    pattern: 'ratelimit:{action}:{agentId}',
    redisType: 'string',
    ttlMs: ttlMs.rateLimit,
    value: 'decimal number',
    purpose: 'Requests at the last decision; DEL resets them',
    owner: 'ratelimit',
    source: 'EPIC',
  },
  rateLimitWindow: {
    pattern: 'ratelimit:{action}:{agentId}:window',
    redisType: 'hash',
    ttlMs: ttlMs.rateLimit,
    value:
      'ms of the youngest request of a slice → requests in it; newest, requests: the same of the newest slice; oldest, blocked → ms',
    purpose: 'The slices of the sliding window, and a block',
    owner: 'ratelimit',
    source: 'ours',
  },
} as const satisfies Record<keyof KeyValues, KeyTableEntry>;

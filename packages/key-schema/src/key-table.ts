import { recentMessagesMax, ttlMs } from './ttl.ts';
import type { KeyValues } from './values.ts';

/** What one kind of key or topic is: a row of the table in this package's README. */
export interface KeyTableEntry {
  /** The name after the prefix, ids in braces. */
  readonly pattern: string;
  readonly redisType: 'topic' | 'string' | 'hash' | 'set' | 'zset';
  /** Milliseconds; `leases`: it ends with the last lease in it; null: it does not expire. */
  readonly ttlMs: number | 'leases' | null;
  readonly value: string;
  readonly purpose: string;
  /** The package that keeps it. */
  readonly owner: 'events' | 'presence' | 'typing' | 'cache' | 'ratelimit' | 'chat-hub';
  /** Who named it: the EPIC, to the letter, or this design, with its reason in `purpose`. */
  readonly source: 'EPIC' | 'ours';
}

/** Every key and topic there is, under the name of its maker in {@link KeySchema}. */
export const keyTable = {
  channelTopic: {
    pattern: 'pubsub:channel:{channelId}',
    redisType: 'topic',
    ttlMs: null,
    value: 'JSON of PublishedEnvelope',
    purpose: "A channel's live events",
    owner: 'events',
    source: 'EPIC',
  },
  agentTopic: {
    pattern: 'pubsub:agent:{agentId}',
    redisType: 'topic',
    ttlMs: null,
    value: 'JSON of PublishedEnvelope',
    purpose: 'Direct messages to one agent, and notices for it',
    owner: 'events',
    source: 'EPIC',
  },
  globalTopic: {
    pattern: 'pubsub:global',
    redisType: 'topic',
    ttlMs: null,
    value: 'JSON of PublishedEnvelope',
    purpose: 'System-wide broadcasts',
    owner: 'events',
    source: 'EPIC',
  },
  probeTopic: {
    pattern: 'pubsub:probe:{probeId}',
    redisType: 'topic',
    ttlMs: null,
    value: 'a word that is used once',
    purpose:
      'What a process publishes to hear it itself: a subscriber connection that answers PING and brings nothing is found out',
    owner: 'events',
    source: 'ours',
  },
  presence: {
    pattern: 'presence:{channelId}:{agentId}',
    redisType: 'hash',
    ttlMs: ttlMs.presence,
    value: 'PresenceHash',
    purpose: 'What an agent shows of itself in a channel',
    owner: 'presence',
    source: 'EPIC',
  },
  roster: {
    pattern: 'roster:{channelId}',
    redisType: 'zset',
    ttlMs: 'leases',
    value: '`agentId:hubId:sessionId` → end of the lease, ms',
    purpose: 'Lists who is present without KEYS or SCAN, and finds leases that ended',
    owner: 'presence',
    source: 'ours',
  },
  rosterAgents: {
    pattern: 'roster:{channelId}:agents',
    redisType: 'zset',
    ttlMs: 'leases',
    value: '`agentId hubId sessionId` → 0',
    purpose:
      "The roster's leases by agent: pages a list in order and finds an agent's other leases, whatever the channel's size",
    owner: 'presence',
    source: 'ours',
  },
  typing: {
    pattern: 'typing:{channelId}',
    redisType: 'zset',
    ttlMs: ttlMs.typing,
    value: 'agentId → when it last typed, ms',
    purpose: 'Who is typing',
    owner: 'typing',
    source: 'EPIC',
  },
  channel: {
    pattern: 'channel:{channelId}',
    redisType: 'string',
    ttlMs: ttlMs.channel,
    value: 'JSON of CachedChannel',
    purpose: "Cache of the channel's row in the database",
    owner: 'cache',
    source: 'EPIC',
  },
  channelMembers: {
    pattern: 'channel:{channelId}:members',
    redisType: 'set',
    ttlMs: ttlMs.channelMembers,
    value: 'agentIds',
    purpose: "Cache of the channel's members in the database; rights are never decided from it",
    owner: 'cache',
    source: 'EPIC',
  },
  recentMessages: {
    pattern: 'messages:{channelId}:recent',
    redisType: 'string',
    ttlMs: ttlMs.recentMessages,
    value: `JSON array of CachedMessage, oldest first, at most ${recentMessagesMax}`,
    purpose: 'Cache of the newest messages in the database',
    owner: 'cache',
    source: 'EPIC',
  },
  sequence: {
    pattern: 'seq:messages:{channelId}',
    redisType: 'string',
    ttlMs: null,
    value: 'decimal number',
    purpose: 'The highest seq published; only ever raised, and losing it harms nothing',
    owner: 'events',
    source: 'EPIC',
  },
  latestEvents: {
    pattern: 'log:latest',
    redisType: 'hash',
    ttlMs: null,
    value: 'hubId → JSON of LatestEvent; a hub that starts keeps the 32 newest',
    purpose:
      'The newest event that each hub committed: a hub that starts and misses one of them in the log knows that a backup was restored. Losing it harms nothing',
    owner: 'chat-hub',
    source: 'ours',
  },
  rateLimit: {
    pattern: 'ratelimit:{action}:{agentId}',
    redisType: 'string',
    ttlMs: ttlMs.rateLimit,
    value: 'decimal number',
    purpose: 'Requests in the window at the last decision; DEL resets the limit',
    owner: 'ratelimit',
    source: 'EPIC',
  },
  rateLimitWindow: {
    pattern: 'ratelimit:{action}:{agentId}:window',
    redisType: 'hash',
    ttlMs: ttlMs.rateLimit,
    value: 'number of the slice → requests in it',
    purpose: 'Slices of the window, so that it slides and allows no double burst at a boundary',
    owner: 'ratelimit',
    source: 'ours',
  },
} as const satisfies Record<keyof KeyValues, KeyTableEntry>;

import type { KeyKind } from './parse-key.ts';

/** The most that one key of a kind may hold. */
export interface KeyLimit {
  /** Members of a set or sorted set, or fields of a hash; null for a string. */
  readonly maxMembers: number | null;
  /** Bytes of a string, or of memory for another type; null: only its members are bounded. */
  readonly maxBytes: number | null;
}

const kib = 1024;
const counter: KeyLimit = { maxMembers: null, maxBytes: 16 };
// Each process has a limit of leases, 1,000,000 by default.
const leases: KeyLimit = { maxMembers: 1_000_000, maxBytes: null };

/**
 * The limits that the writers of each key guarantee. A larger value was written by another program, or shows a leak.
 */
export const keyLimits: Readonly<Record<KeyKind, KeyLimit>> = {
  // Six fields, two of them texts of at most 1,024 characters, and metadata of 1,024 bytes.
  presence: { maxMembers: 6, maxBytes: 16 * kib },
  roster: leases,
  rosterAgents: leases,
  // Each start removes the agents that stopped, so the key holds only ten seconds of starts.
  typing: { maxMembers: 10_000, maxBytes: null },
  // Each change removes ended turns. Beyond the limit it also removes those that end first.
  turns: { maxMembers: 10_000, maxBytes: null },
  turnStates: { maxMembers: 10_000, maxBytes: null },
  // The cache keeps neither a longer value nor a longer list.
  channel: { maxMembers: null, maxBytes: kib * kib },
  channelMembers: { maxMembers: 10_000, maxBytes: null },
  recentMessages: { maxMembers: null, maxBytes: kib * kib },
  sequence: counter,
  // The default of the cache's `maxValueBytes`.
  cachedValue: { maxMembers: null, maxBytes: kib * kib },
  cachedValueLease: { maxMembers: null, maxBytes: 36 },
  // A starting hub keeps the 32 newest. Hubs that start later add one each.
  latestEvents: { maxMembers: 64, maxBytes: 64 * kib },
  databaseHub: { maxMembers: null, maxBytes: 128 },
  rateLimit: counter,
  // Four fields, and one for each slice but the newest. A window has 61 slices; after a clock was set back there may be
  // 121.
  rateLimitWindow: { maxMembers: 124, maxBytes: 16 * kib },
};

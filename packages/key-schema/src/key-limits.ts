import type { KeyKind } from './parse-key.ts';

export interface KeyLimit {
  /** Members of a set or fields of a hash; null for a string. */
  readonly maxMembers: number | null;
  /** Bytes of a string, or memory of another type; null: only the members are bounded. */
  readonly maxBytes: number | null;
}

const kib = 1024;
const counter: KeyLimit = { maxMembers: null, maxBytes: 16 };
// By default, a process has at most 1,000,000 leases.
const leases: KeyLimit = { maxMembers: 1_000_000, maxBytes: null };

/** A larger value comes from another program, or shows a leak. */
export const keyLimits: Readonly<Record<KeyKind, KeyLimit>> = {
  // Two texts of at most 1,024 characters, metadata of 1,024 bytes, and short fields.
  presence: { maxMembers: 6, maxBytes: 16 * kib },
  roster: leases,
  rosterAgents: leases,
  // A start of typing removes the starts that are older than ten seconds.
  typing: { maxMembers: 10_000, maxBytes: null },
  // The script that sets a turn removes turns beyond this limit.
  turns: { maxMembers: 10_000, maxBytes: null },
  turnStates: { maxMembers: 10_000, maxBytes: null },
  // The limits of the cache for one value and one list.
  channel: { maxMembers: null, maxBytes: kib * kib },
  channelMembers: { maxMembers: 10_000, maxBytes: null },
  recentMessages: { maxMembers: null, maxBytes: kib * kib },
  sequence: counter,
  // The default of the cache's `maxValueBytes`.
  cachedValue: { maxMembers: null, maxBytes: kib * kib },
  cachedValueLease: { maxMembers: null, maxBytes: 36 },
  // A starting hub removes all but the 32 newest entries. Each running hub may then add its own entry.
  latestEvents: { maxMembers: 64, maxBytes: 64 * kib },
  databaseHub: { maxMembers: null, maxBytes: 128 },
  rateLimit: counter,
  // A window has 61 slices, or 121 after a clock was set back. Four fields describe the window and its newest slice;
  // each other slice has a field of its own.
  rateLimitWindow: { maxMembers: 124, maxBytes: 16 * kib },
};

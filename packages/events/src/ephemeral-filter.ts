import type { EncodedEnvelope } from '@openclaw/protocol';
import { resolveOptions } from '@openclaw/redis-client';
import { EventsError } from './errors.ts';
import { createRecentIds } from './recent-ids.ts';

export interface EphemeralFilterOptions {
  /** Events that are older than this are rejected. @default 10_000 */
  readonly maxAgeMs?: number;
  /** The shortest time for which an id is remembered. @default 30_000 */
  readonly windowMs?: number;
  /**
   * The most remembered ids. Beyond this number, the oldest half is forgotten early.
   * @default 50_000
   */
  readonly maxIds?: number;
  /** Epoch milliseconds. @default Date.now */
  readonly clock?: () => number;
}

const defaults: Required<EphemeralFilterOptions> = {
  maxAgeMs: 10_000,
  windowMs: 30_000,
  maxIds: 50_000,
  clock: Date.now,
};

export interface EphemeralFilter {
  /** True for a recent event with a new id. Remembers the id. */
  accept(event: Pick<EncodedEnvelope, 'id' | 'timestamp'>): boolean;
  readonly size: number;
}

/**
 * Creates a filter for events without a seq, for all channels of a process. It accepts each id once, if its timestamp
 * is at most `maxAgeMs` old. If a sender's clock is behind by more than `maxAgeMs`, the sender's events are lost.
 * @throws {EventsError} `invalid_options`
 */
export function createEphemeralFilter(options: EphemeralFilterOptions = {}): EphemeralFilter {
  const { maxAgeMs, windowMs, maxIds, clock } = resolveOptions(defaults, options, EventsError);
  const seen = createRecentIds(maxIds, windowMs, clock);
  return {
    accept({ id, timestamp }) {
      if (clock() - timestamp > maxAgeMs || seen.has(id)) return false;
      seen.add(id);
      return true;
    },
    get size() {
      return seen.size;
    },
  };
}

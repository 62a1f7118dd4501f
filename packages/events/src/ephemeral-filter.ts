import type { EncodedEnvelope } from '@openclaw/protocol';
import { resolveOptions } from '@openclaw/redis-client';
import { EventsError } from './errors.ts';
import { createRecentIds } from './recent-ids.ts';

export interface EphemeralFilterOptions {
  /** Events older than this are rejected, because they are out of date. @default 10_000 */
  readonly maxAgeMs?: number;
  /** The minimum time for which an id is remembered. @default 30_000 */
  readonly windowMs?: number;
  /** The most ids remembered. If more come within the window, the oldest half is forgotten early. @default 50_000 */
  readonly maxIds?: number;
  /** Now, in ms. @default Date.now */
  readonly clock?: () => number;
}

const defaults: Required<EphemeralFilterOptions> = {
  maxAgeMs: 10_000,
  windowMs: 30_000,
  maxIds: 50_000,
  clock: Date.now,
};

export interface EphemeralFilter {
  /** True for an event that is not too old and has a new id. Remembers the id. */
  accept(event: Pick<EncodedEnvelope, 'id' | 'timestamp'>): boolean;
  readonly size: number;
}

/**
 * Creates a filter for events without a seq (typing, presence, the global topic). It accepts each id once, and none
 * older than `maxAgeMs`. One filter serves all channels of a process. An event's age is the difference between this
 * clock and the sender's, so events of a sender whose clock is more than `maxAgeMs` behind are lost. A timestamp in the
 * future counts as now.
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

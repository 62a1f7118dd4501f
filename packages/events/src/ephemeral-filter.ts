import type { EncodedEnvelope } from '@openclaw/protocol';
import { resolveOptions } from '@openclaw/redis-client';
import { EventsError } from './errors.ts';

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

/** Accepts each ephemeral event once. */
export interface EphemeralFilter {
  /** True the first time an event's id is seen, unless the event is too old. Remembers the id. */
  accept(event: Pick<EncodedEnvelope, 'id' | 'timestamp'>): boolean;
  /** How many ids are remembered now, at most `maxIds`. */
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

/**
 * A bounded set of recent ids in two generations. When the young one holds `maxIds / 2` ids or is `windowMs` old, it
 * becomes the old one, and the old one is dropped as a whole. So the last `maxIds / 2` ids of the last `windowMs` are
 * always known, and there are never more than `maxIds`.
 */
export function createRecentIds(maxIds: number, windowMs: number, clock: () => number) {
  const generationSize = Math.ceil(maxIds / 2);
  let young = new Set<string>();
  let old = new Set<string>();
  let startedAtMs = clock();
  return {
    has: (id: string) => young.has(id) || old.has(id),
    add(id: string) {
      const nowMs = clock();
      const ageMs = nowMs - startedAtMs;
      if (young.size >= generationSize || ageMs >= windowMs) {
        // After two windows without ids the young generation is too old as well.
        old = ageMs >= 2 * windowMs ? new Set() : young;
        young = new Set();
        startedAtMs = nowMs;
      }
      young.add(id);
    },
    get size() {
      return young.size + old.size;
    },
  };
}

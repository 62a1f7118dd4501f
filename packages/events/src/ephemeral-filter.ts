import type { EncodedEnvelope } from '@openclaw/protocol';
import { positiveInteger } from './options.ts';
import { RecentIds } from './recent-ids.ts';

/** Options of {@link createEphemeralFilter}. */
export interface EphemeralFilterOptions {
  /** Events older than this are refused: what they said is no longer so. @default 10_000 */
  readonly maxAgeMs?: number;
  /** For how long an id is remembered at least. @default 30_000 */
  readonly windowMs?: number;
  /** The most ids remembered; when more come within the window, the oldest half is forgotten early. @default 50_000 */
  readonly maxIds?: number;
  /** Now, in ms. @default Date.now */
  readonly clock?: () => number;
}

/** Lets each ephemeral event through once. See {@link createEphemeralFilter}. */
export interface EphemeralFilter {
  /** True the first time an event's id is seen, while the event is not too old; remembers the id. */
  accept(event: Pick<EncodedEnvelope, 'id' | 'timestamp'>): boolean;
  /** How many ids are remembered now; never more than `maxIds`. */
  readonly size: number;
}

/**
 * Makes a filter for events without a seq (typing, presence, all on the global topic): once per id, never older than
 * `maxAgeMs`. One filter serves all channels of a process. Ages compare the sender's clock with this one, so clocks
 * that differ by more than `maxAgeMs` silence each other; a timestamp in the future is taken as now.
 * @throws {EventsError} `invalid_options`
 */
export function createEphemeralFilter(options: EphemeralFilterOptions = {}): EphemeralFilter {
  const { clock = Date.now } = options;
  const maxAgeMs = positiveInteger('maxAgeMs', options.maxAgeMs ?? 10_000);
  const windowMs = positiveInteger('windowMs', options.windowMs ?? 30_000);
  const maxIds = positiveInteger('maxIds', options.maxIds ?? 50_000);
  const seen = new RecentIds(maxIds, windowMs, clock);
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

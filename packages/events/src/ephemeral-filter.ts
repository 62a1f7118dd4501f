import type { EncodedEnvelope } from '@openclaw/protocol';
import { positiveInteger } from './errors.ts';

/** Options of {@link createEphemeralFilter}. */
export interface EphemeralFilterOptions {
  /** Events older than this are rejected, as they no longer hold. @default 10_000 */
  readonly maxAgeMs?: number;
  /** How long an id is remembered at least. @default 30_000 */
  readonly windowMs?: number;
  /** The most ids remembered; when more come within the window, the oldest half is forgotten early. @default 50_000 */
  readonly maxIds?: number;
  /** Now, in ms. @default Date.now */
  readonly clock?: () => number;
}

/** Accepts each ephemeral event once. See {@link createEphemeralFilter}. */
export interface EphemeralFilter {
  /** True the first time an event's id is seen, unless the event is too old. Remembers the id. */
  accept(event: Pick<EncodedEnvelope, 'id' | 'timestamp'>): boolean;
  /** How many ids are remembered now, at most `maxIds`. */
  readonly size: number;
}

/**
 * Creates a filter for events without a seq (typing, presence, the global topic). It accepts each id once, and none older
 * than `maxAgeMs`. One filter serves all channels of a process. Ages compare the sender's clock with this one, so events
 * of a clock that is more than `maxAgeMs` behind are lost; a timestamp in the future counts as now.
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

/**
 * A bounded set of recent ids in two generations. When the young one holds `maxIds / 2` ids or is `windowMs` old, it
 * becomes the old one, and the old one is dropped as a whole. So the last `maxIds / 2` ids of the last `windowMs` are
 * always known, and there are never more than `maxIds`.
 */
export class RecentIds {
  readonly #generationSize: number;
  readonly #windowMs: number;
  readonly #clock: () => number;
  #young = new Set<string>();
  #old = new Set<string>();
  #startedAtMs: number;

  constructor(maxIds: number, windowMs: number, clock: () => number) {
    this.#generationSize = Math.ceil(maxIds / 2);
    this.#windowMs = windowMs;
    this.#clock = clock;
    this.#startedAtMs = clock();
  }

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }

  add(id: string): void {
    const nowMs = this.#clock();
    const ageMs = nowMs - this.#startedAtMs;
    if (this.#young.size >= this.#generationSize || ageMs >= this.#windowMs) {
      // After two windows without ids the young generation is too old as well.
      this.#old = ageMs >= 2 * this.#windowMs ? new Set() : this.#young;
      this.#young = new Set();
      this.#startedAtMs = nowMs;
    }
    this.#young.add(id);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

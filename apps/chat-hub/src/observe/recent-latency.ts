/** Three percentiles, in ms. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Options of {@link RecentLatency}. */
export interface RecentLatencyOptions {
  /** Answers cover the last one to two slices. @default 5000 */
  readonly sliceMs?: number;
  /** Monotonic time in ms. @default performance.now */
  readonly clock?: () => number;
}

/** Resolution of the shortest latencies. */
const unitsPerMs = 16;
/** Buckets per power of two: an answer is exact to 1/32 or 0.1 ms. */
const bucketsPerOctave = 16;
/** About a minute; longer latencies count as that. */
const maxUnits = 2 ** 20 - 1;
const bucketCount = bucketsPerOctave * 17;

interface Slice {
  startMs: number;
  total: number;
  events: number;
  readonly counts: Uint32Array;
}

/**
 * Latencies of the last seconds in logarithmic buckets, kept in two alternating time slices: 2 KiB, however many there
 * are. Recording one costs a few array accesses and no allocation.
 */
export class RecentLatency {
  readonly #sliceMs: number;
  readonly #clock: () => number;
  #current: Slice;
  #previous: Slice;

  constructor({ sliceMs = 5_000, clock = () => performance.now() }: RecentLatencyOptions = {}) {
    this.#sliceMs = sliceMs;
    this.#clock = clock;
    this.#current = emptySlice(clock());
    this.#previous = emptySlice(clock());
  }

  /** Records a latency `weight` times, for instance once for each receiver. */
  record(latencyMs: number, weight = 1): void {
    this.#turn();
    const { counts } = this.#current;
    const bucket = bucketOf(latencyMs);
    counts[bucket] = (counts[bucket] ?? 0) + weight;
    this.#current.total += weight;
    this.#current.events += 1;
  }

  /** Null when nothing was recorded lately. */
  percentiles(): Percentiles | null {
    this.#turn();
    const total = this.#current.total + this.#previous.total;
    if (total === 0) return null;
    const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => this.#at(Math.ceil(total * share)));
    return { p50: p50 ?? 0, p90: p90 ?? 0, p99: p99 ?? 0 };
  }

  /** Recent calls of `record` per second, and the sum of their weights per second. */
  rates(): { readonly perSecond: number; readonly weightPerSecond: number } {
    this.#turn();
    const seconds = Math.max(1, (this.#clock() - this.#previous.startMs) / 1000);
    return {
      perSecond: (this.#current.events + this.#previous.events) / seconds,
      weightPerSecond: (this.#current.total + this.#previous.total) / seconds,
    };
  }

  #at(rank: number): number {
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += (this.#current.counts[bucket] ?? 0) + (this.#previous.counts[bucket] ?? 0);
      if (seen >= rank) return latencyOf(bucket);
    }
    return latencyOf(bucketCount - 1);
  }

  #turn(): void {
    const nowMs = this.#clock();
    const passedMs = nowMs - this.#current.startMs;
    if (passedMs < this.#sliceMs) return;
    const oldest = this.#previous;
    this.#previous = this.#current;
    this.#current = oldest;
    empty(oldest, nowMs);
    if (passedMs >= 2 * this.#sliceMs) empty(this.#previous, nowMs);
  }
}

function emptySlice(startMs: number): Slice {
  return { startMs, total: 0, events: 0, counts: new Uint32Array(bucketCount) };
}

function empty(slice: Slice, startMs: number): void {
  slice.counts.fill(0);
  Object.assign(slice, { startMs, total: 0, events: 0 });
}

function bucketOf(latencyMs: number): number {
  const units = Math.min(maxUnits, Math.max(0, Math.round(latencyMs * unitsPerMs)));
  if (units < bucketsPerOctave) return units;
  const octave = 31 - Math.clz32(units) - 4;
  return bucketsPerOctave * (octave + 1) + ((units >> octave) - bucketsPerOctave);
}

/** The middle of a bucket, to a tenth of a millisecond. */
function latencyOf(bucket: number): number {
  if (bucket < bucketsPerOctave) return Math.round((bucket / unitsPerMs) * 10) / 10;
  const octave = Math.floor(bucket / bucketsPerOctave) - 1;
  const lowest = ((bucket % bucketsPerOctave) + bucketsPerOctave) * 2 ** octave;
  return Math.round(((lowest + (2 ** octave - 1) / 2) / unitsPerMs) * 10) / 10;
}

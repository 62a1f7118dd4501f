import {
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';
import { createHistogram, recordMs, summaryOf, type LatencySummary } from './latencies.ts';

export const seriesNames = ['delivery', 'ack', 'lateness'] as const;
export type SeriesName = (typeof seriesNames)[number];

const countNames = ['sent', 'acked', 'errors', 'deliveries', 'reconnects'] as const;
type CountName = (typeof countNames)[number];
type Counts = Record<CountName, number>;

export interface EncodedInterval {
  readonly index: number;
  readonly counts: Readonly<Counts>;
  readonly latencies: Readonly<Record<SeriesName, string>>;
}

export interface SeriesPoint extends Readonly<Counts> {
  /** The time since the start of the first stage. */
  readonly atMs: number;
  readonly latencies: Readonly<Record<SeriesName, LatencySummary | null>>;
}

/** A run has at most 600 intervals; see {@link intervalMsFor}. */
export interface Series {
  /** Starts an interval when it is due. Call it before recording. */
  advance(nowMs: number): void;
  count(name: CountName): void;
  record(name: SeriesName, ms: number): void;
  take(): EncodedInterval[];
  /** Returns the p99 of the last complete interval; 0 without a value. */
  lastP99(name: SeriesName): number;
}

const pointsMax = 600;

/** Returns a second, or more if the run would have more than 600 intervals. */
export function intervalMsFor(runMs: number): number {
  return 1000 * Math.max(1, Math.ceil(runMs / 1000 / pointsMax));
}

const zero = (): Counts => ({ sent: 0, acked: 0, errors: 0, deliveries: 0, reconnects: 0 });

export function createSeries(startMs: number, intervalMs: number): Series {
  // Two digits are enough for a plot. The histograms are reused, because a run may have 600
  // intervals.
  const create = () => createHistogram(2);
  const histograms: Readonly<Record<SeriesName, Histogram>> = {
    delivery: create(),
    ack: create(),
    lateness: create(),
  };
  const lastP99 = { delivery: 0, ack: 0, lateness: 0 };
  let intervals: EncodedInterval[] = [];
  let index = 0;
  let endMs = startMs + intervalMs;
  let counts = zero();

  function finish() {
    const isEmpty = Object.values(counts).every((value) => value === 0);
    const encoded = {} as Record<SeriesName, string>;
    for (const name of seriesNames) {
      encoded[name] = encodeIntoCompressedBase64(histograms[name]);
      lastP99[name] = summaryOf(histograms[name])?.p99 ?? 0;
      histograms[name].reset();
    }
    if (!isEmpty) intervals.push({ index, counts, latencies: encoded });
    counts = zero();
  }

  return {
    advance(nowMs) {
      if (nowMs < endMs) return;
      finish();
      index = Math.floor((nowMs - startMs) / intervalMs);
      endMs = startMs + (index + 1) * intervalMs;
    },
    count(name) {
      counts[name] += 1;
    },
    record: (name, ms) => recordMs(histograms[name], ms),
    take() {
      finish();
      const taken = intervals;
      intervals = [];
      return taken;
    },
    lastP99: (name) => lastP99[name],
  };
}

export function mergeSeries(
  intervals: readonly EncodedInterval[],
  intervalMs: number,
): SeriesPoint[] {
  const merged = new Map<number, { counts: Counts; histograms: Record<SeriesName, Histogram> }>();
  for (const { index, counts, latencies } of intervals) {
    let point = merged.get(index);
    if (point === undefined) {
      const histograms = {} as Record<SeriesName, Histogram>;
      for (const name of seriesNames) histograms[name] = createHistogram(2);
      merged.set(index, (point = { counts: zero(), histograms }));
    }
    for (const name of countNames) point.counts[name] += counts[name];
    for (const name of seriesNames)
      point.histograms[name].add(decodeFromCompressedBase64(latencies[name]));
  }
  return [...merged]
    .sort(([one], [other]) => one - other)
    .map(([index, { counts, histograms }]) => ({
      atMs: index * intervalMs,
      ...counts,
      latencies: {
        delivery: summaryOf(histograms.delivery),
        ack: summaryOf(histograms.ack),
        lateness: summaryOf(histograms.lateness),
      },
    }));
}

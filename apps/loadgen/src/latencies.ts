import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';

/** What is timed, each from the moment its operation was due. */
export const latencyNames = [
  'delivery',
  'ack',
  'typing',
  'presence',
  'reaction',
  'lateness',
] as const;

/** The name of a latency; `lateness` is the generator's own: due until sent. */
export type LatencyName = (typeof latencyNames)[number];

/** A latency's distribution in milliseconds; null when nothing was timed. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** One histogram for each {@link LatencyName}, in microseconds, three digits exact. */
export interface Latencies {
  record(name: LatencyName, ms: number): void;
  /** As text, to hand over between threads. */
  encode(): Record<LatencyName, string>;
  /** Adds what another thread encoded. */
  add(encoded: Record<LatencyName, string>): void;
  summary(name: LatencyName): LatencySummary | null;
}

const highestUs = 120_000_000;

/** Empty histograms. */
export function createLatencies(): Latencies {
  const create = () =>
    build({
      bitBucketSize: 32,
      lowestDiscernibleValue: 1,
      highestTrackableValue: highestUs,
      numberOfSignificantValueDigits: 3,
    });
  const histograms = Object.fromEntries(latencyNames.map((name) => [name, create()])) as Record<
    LatencyName,
    Histogram
  >;
  return {
    record(name, ms) {
      const us = Math.round(ms * 1000);
      histograms[name].recordValue(us < 1 ? 1 : us > highestUs ? highestUs : us);
    },
    encode: () =>
      Object.fromEntries(
        latencyNames.map((name) => [name, encodeIntoCompressedBase64(histograms[name])]),
      ) as Record<LatencyName, string>,
    add(encoded) {
      for (const name of latencyNames)
        histograms[name].add(decodeFromCompressedBase64(encoded[name]));
    },
    summary(name) {
      const histogram = histograms[name];
      if (histogram.totalCount === 0) return null;
      const ms = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
      return {
        count: histogram.totalCount,
        p50: ms(50),
        p90: ms(90),
        p99: ms(99),
        max: histogram.maxValue / 1000,
      };
    },
  };
}

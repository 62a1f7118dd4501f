import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';

/** Each latency except `reconnect` and `rejoin` counts from the due time of its operation. */
export const latencyNames = [
  'delivery',
  'ack',
  'reply',
  'reaction',
  'typing',
  'presence',
  'direct',
  'history',
  'rejoin',
  'reconnect',
  'lateness',
] as const;

/**
 * `delivery`, `reply`, `reaction`, `typing`, `presence` and `direct` end when an agent receives the
 * event. `ack` and `history` end when the hub answers. `rejoin` counts from the start of the leave until
 * the agent is subscribed again. `reconnect` counts from the cut of a socket until the agent is live.
 * `lateness` is the delay of the generator itself before an operation.
 */
export type LatencyName = (typeof latencyNames)[number];

/** Times are in milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

export interface Latencies {
  record(name: LatencyName, ms: number): void;
  encode(): Record<LatencyName, string>;
  add(encoded: Record<LatencyName, string>): void;
  summary(name: LatencyName): LatencySummary | null;
}

const highestUs = 120_000_000;

export function createHistogram(digits: 2 | 3): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestUs,
    numberOfSignificantValueDigits: digits,
  });
}

export function recordMs(histogram: Histogram, ms: number): void {
  const us = Math.round(ms * 1000);
  histogram.recordValue(us < 1 ? 1 : us > highestUs ? highestUs : us);
}

export function summaryOf(histogram: Histogram): LatencySummary | null {
  if (histogram.totalCount === 0) return null;
  const ms = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
  return {
    count: histogram.totalCount,
    p50: ms(50),
    p90: ms(90),
    p99: ms(99),
    max: histogram.maxValue / 1000,
    mean: histogram.mean / 1000,
  };
}

export function createLatencies(): Latencies {
  const create = () => createHistogram(3);
  const histograms = Object.fromEntries(latencyNames.map((name) => [name, create()])) as Record<
    LatencyName,
    Histogram
  >;
  return {
    record: (name, ms) => recordMs(histograms[name], ms),
    encode: () =>
      Object.fromEntries(
        latencyNames.map((name) => [name, encodeIntoCompressedBase64(histograms[name])]),
      ) as Record<LatencyName, string>,
    add(encoded) {
      for (const name of latencyNames)
        histograms[name].add(decodeFromCompressedBase64(encoded[name]));
    },
    summary: (name) => summaryOf(histograms[name]),
  };
}

/** Each key is the bound of a cumulative bucket, and its value counts the samples at or below this bound. */
export type DelayBuckets = ReadonlyMap<number, number>;

/**
 * The maximum is not used, because a single pause, such as a garbage collection, does not make the event loop busy.
 */
const quantile = 0.9;

/** Bounds are in seconds. Empty if there are no buckets. */
export function parseDelayBuckets(text: string): DelayBuckets {
  const found = text.matchAll(
    /^hub_event_loop_delay_seconds_bucket\{[^}\n]*le="([^"\n]+)"[^}\n]*\} (\S+)$/gm,
  );
  return new Map(
    [...found].map(([, bound, count]) => [
      bound === '+Inf' ? Infinity : Number(bound),
      Number(count),
    ]),
  );
}

/**
 * Returns the 90th percentile in ms, rounded up to a bucket's bound; Infinity beyond the last bound. Null without
 * samples, or when the hub restarted between the readings.
 */
export function recentDelayMs(before: DelayBuckets, after: DelayBuckets): number | null {
  const bounds = [...after.keys()].toSorted((a, b) => a - b);
  const samplesUpTo = (bound: number) => (after.get(bound) ?? 0) - (before.get(bound) ?? 0);
  const samples = samplesUpTo(Infinity);
  if (before.size === 0 || samples <= 0) return null;
  const bound = bounds.find((each) => samplesUpTo(each) >= quantile * samples);
  return bound === undefined ? null : bound * 1_000;
}

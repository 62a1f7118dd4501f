import type { Operations } from '@openclaw/protocol';
import type { Minute } from './checks.ts';

type Row = NonNullable<Operations['history']>['minutes'][number];

export const historyMs = 86_400_000;
/** Enough for the minutes of ten hubs in a day. Past this number, the oldest rows are dropped. */
const rowsMax = 14_400;

/** A minute that was read before is replaced, because its hub may have changed it. */
export function withRows(known: readonly Row[], more: readonly Row[], nowMs: number): Row[] {
  const keyOf = ({ at, hubId }: Row) => `${at} ${hubId}`;
  const rows = new Map([...known, ...more].map((row) => [keyOf(row), row]));
  return [...rows.values()]
    .filter(({ at }) => at > nowMs - historyMs)
    .sort((a, b) => a.at - b.at)
    .slice(-rowsMax);
}

/** The oldest minute comes first. */
export function minutesOf(rows: readonly Row[]): readonly Minute[] {
  return [...Map.groupBy(rows, ({ at }) => at)].map(([atMs, hubs]) => ({ atMs, hubs }));
}

/** `value` is null where no hub has recorded a minute. */
export interface PlotPoint {
  readonly atMs: number;
  readonly value: number | null;
}

/**
 * The highest point in each of `count` equal parts of the time, so that a small plot shows every
 * peak.
 */
export function peaksOf(points: readonly PlotPoint[], fromMs: number, toMs: number, count: number) {
  const peaks = Array.from<number | null>({ length: count }).fill(null);
  for (const { atMs, value } of points) {
    const at = Math.floor(((atMs - fromMs) / (toMs - fromMs)) * count);
    if (value === null || at < 0 || at >= count) continue;
    peaks[at] = Math.max(peaks[at] ?? 0, value);
  }
  return peaks;
}

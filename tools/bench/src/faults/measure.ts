import { spreadOf, tableLines } from '../statistics.ts';

export interface Measure {
  readonly name: string;
  readonly boundMs: number;
}

export const measures = {
  killed: { name: 'Redis killed: breaker open', boundMs: 1_500 },
  killedDelivery: { name: 'Redis killed: delivery between hubs after that', boundMs: 500 },
  killedBack: { name: 'Redis back after a kill: topics and presence complete', boundMs: 2_000 },
  frozen: { name: 'Redis frozen: breaker open', boundMs: 1_500 },
  frozenDelivery: { name: 'Redis frozen: delivery between hubs after that', boundMs: 500 },
  frozenBack: { name: 'Redis thawed: topics and presence complete', boundMs: 2_000 },
  cut: { name: 'one hub cut from Redis: breaker open', boundMs: 1_500 },
  cutDelivery: { name: 'one hub cut from Redis: delivery between hubs after that', boundMs: 500 },
  cutBack: { name: 'its link restored: topics and presence complete', boundMs: 2_000 },
  sentinelKilled: { name: 'Sentinel, master killed: new master in use', boundMs: 5_000 },
  sentinelFrozen: { name: 'Sentinel, master frozen: new master in use', boundMs: 5_000 },
  databaseFrozen: { name: 'PostgreSQL frozen: slowest answer to a send', boundMs: 3_000 },
  locksHeld: { name: 'hub frozen in a transaction: its locks held', boundMs: 3_000 },
} as const satisfies Record<string, Measure>;

export type MeasureKey = keyof typeof measures;

export type Note = (key: MeasureKey, ms: number) => void;

export interface Row extends Measure {
  readonly runs: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly maxMs: number;
  readonly holds: boolean;
}

export function rowsOf(times: ReadonlyMap<MeasureKey, readonly number[]>): Row[] {
  return [...times].flatMap(([key, values]) => {
    const spread = spreadOf(values);
    if (spread === null) return [];
    const medianMs = Math.round(spread.median);
    return {
      ...measures[key],
      runs: spread.count,
      minMs: Math.round(spread.min),
      medianMs,
      maxMs: Math.round(spread.max),
      holds: medianMs <= measures[key].boundMs,
    };
  });
}

export function formatRows(rows: readonly Row[]): string {
  const head = ['measure', 'runs', 'min', 'median', 'max', 'bound', ''];
  const lines = rows.map(({ name, runs, minMs, medianMs, maxMs, boundMs, holds }) => [
    name,
    String(runs),
    ...[minMs, medianMs, maxMs, boundMs].map((ms) => `${ms} ms`),
    holds ? 'holds' : 'PAST ITS BOUND',
  ]);
  return tableLines([head, ...lines], [1, 2, 3, 4, 5]).join('\n');
}

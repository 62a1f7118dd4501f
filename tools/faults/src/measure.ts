/** What is measured, with the bound it is held to. */
export interface Measure {
  readonly name: string;
  readonly boundMs: number;
}

/** Every measure of a run; design §8 says the bounds. */
export const measures = {
  killed: { name: 'Redis killed: breaker open', boundMs: 1_500 },
  killedDelivery: { name: 'Redis killed: delivery between hubs, from then', boundMs: 500 },
  killedBack: { name: 'Redis back after a kill: topics and presence whole', boundMs: 2_000 },
  frozen: { name: 'Redis frozen: breaker open', boundMs: 1_500 },
  frozenDelivery: { name: 'Redis frozen: delivery between hubs, from then', boundMs: 500 },
  frozenBack: { name: 'Redis thawed: topics and presence whole', boundMs: 2_000 },
  cut: { name: 'one hub cut from Redis: breaker open', boundMs: 1_500 },
  cutDelivery: { name: 'one hub cut from Redis: delivery between hubs, from then', boundMs: 500 },
  cutBack: { name: 'its way mended: topics and presence whole', boundMs: 2_000 },
  sentinelKilled: { name: 'Sentinel, master killed: new master in use', boundMs: 5_000 },
  sentinelFrozen: { name: 'Sentinel, master frozen: new master in use', boundMs: 5_000 },
  databaseFrozen: { name: 'PostgreSQL frozen: slowest answer to a send', boundMs: 3_000 },
  locksHeld: { name: 'hub frozen in a transaction: its locks held', boundMs: 3_000 },
} as const satisfies Record<string, Measure>;

/** The key of a measure. */
export type MeasureKey = keyof typeof measures;

/** Takes one measured time, in ms. */
export type Note = (key: MeasureKey, ms: number) => void;

/** One line of the account. */
export interface Row extends Measure {
  readonly runs: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly maxMs: number;
  readonly holds: boolean;
}

/** Summarizes what was measured; of what was not measured there is no row. */
export function rowsOf(times: ReadonlyMap<MeasureKey, readonly number[]>): Row[] {
  return [...times].map(([key, values]) => {
    const sorted = [...values].sort((a, b) => a - b);
    const at = (place: number) => Math.round(sorted[place] ?? Number.NaN);
    const medianMs = at(Math.floor(sorted.length / 2));
    return {
      ...measures[key],
      runs: sorted.length,
      minMs: at(0),
      medianMs,
      maxMs: at(sorted.length - 1),
      holds: medianMs <= measures[key].boundMs,
    };
  });
}

/** The account as a table. */
export function formatRows(rows: readonly Row[]): string {
  const head = ['measure', 'runs', 'min', 'median', 'max', 'bound', ''];
  const lines = rows.map((row) => [
    row.name,
    String(row.runs),
    ...[row.minMs, row.medianMs, row.maxMs, row.boundMs].map((ms) => `${ms} ms`),
    row.holds ? 'holds' : 'PAST ITS BOUND',
  ]);
  const table = [head, ...lines];
  const widths = head.map((_, at) => Math.max(...table.map((line) => line[at]?.length ?? 0)));
  return table
    .map((line) =>
      line
        .map((cell, at) => {
          const width = widths[at] ?? 0;
          return at === 0 || at === 6 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

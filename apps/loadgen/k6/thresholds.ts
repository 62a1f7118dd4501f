// This file uses nothing of k6, so that a test can run it.

interface LatencyLimits {
  readonly p50Ms?: number;
  readonly p90Ms?: number;
  readonly p99Ms?: number;
  readonly maxMs?: number;
}

interface Limits {
  readonly calls?: Readonly<Record<string, LatencyLimits>>;
  readonly maxErrors?: number;
}

export interface ThresholdsFile extends Limits {
  readonly scenarios?: Readonly<Record<string, Limits>>;
}

const conditions: readonly (readonly [keyof LatencyLimits, string])[] = [
  ['p50Ms', 'med'],
  ['p90Ms', 'p(90)'],
  ['p99Ms', 'p(99)'],
  ['maxMs', 'max'],
];

/**
 * `trends` maps each kind of call that the script measures to the name of its k6 metric. `errors` is the name of the
 * counter of refused calls. A limit of the scenario has precedence over the general limit.
 */
export function k6Thresholds(
  file: ThresholdsFile,
  scenario: string,
  trends: Readonly<Record<string, string>>,
  errors: string,
): Record<string, string[]> {
  const own = file.scenarios?.[scenario] ?? {};
  const thresholds: Record<string, string[]> = {
    [errors]: [`count<=${own.maxErrors ?? file.maxErrors ?? 0}`],
  };
  for (const [call, metric] of Object.entries(trends)) {
    const limits = own.calls?.[call] ?? file.calls?.[call] ?? {};
    const set = conditions.flatMap(([key, statistic]) =>
      limits[key] === undefined ? [] : [`${statistic}<${limits[key]}`],
    );
    if (set.length > 0) thresholds[metric] = set;
  }
  return thresholds;
}

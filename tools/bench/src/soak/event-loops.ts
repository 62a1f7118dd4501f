import { spreadOf, type Spread } from '../statistics.ts';

export interface EventLoops {
  /** Takes one hub's metrics since the previous sample. `isCalm` is true when no fault was active in that time. */
  sample(httpUrl: string, isCalm: boolean): Promise<void>;
  report(): EventLoopReport;
}

export interface EventLoopReport {
  readonly calmP99: Spread | null;
  readonly calmMost: Spread | null;
  /** The longest delay of the whole run, including faults and frozen hubs. */
  readonly longest: number;
  readonly samples: number;
}

/** Node's histogram adds this sampling interval to each delay. */
const samplingMs = 10;

export function createEventLoops(): EventLoops {
  const calm: { p99: number; longest: number }[] = [];
  let longestEver = 0;
  return {
    async sample(httpUrl, isCalm) {
      const response = await fetch(`${httpUrl}/metrics`, {
        signal: AbortSignal.timeout(2_000),
      }).catch(() => null);
      const text = await response?.text().catch(() => null);
      const msOf = (name: string) => {
        const found = text?.match(
          new RegExp(`^nodejs_eventloop_lag_${name}_seconds ([\\d.e+-]+)`, 'm'),
        );
        return found ? Math.max(0, Number(found[1]) * 1_000 - samplingMs) : null;
      };
      const [p99, longest] = [msOf('p99'), msOf('max')];
      if (p99 === null || longest === null) return;
      longestEver = Math.max(longestEver, longest);
      if (isCalm) calm.push({ p99, longest });
    },
    report: () => ({
      calmP99: spreadOf(calm.map(({ p99 }) => p99)),
      calmMost: spreadOf(calm.map((sample) => sample.longest)),
      longest: longestEver,
      samples: calm.length,
    }),
  };
}

/** How late the hubs' event loops were, as their own metrics say. */
export interface EventLoops {
  /** Asks one hub, which answers with the most since it was last asked. `isCalm`: no fault was struck meanwhile. */
  ask(httpUrl: string, isCalm: boolean): Promise<void>;
  report(): EventLoopReport;
}

/** Delays in ms, of all hubs. */
export interface EventLoopReport {
  /** Of the hubs' p99 over some seconds each, between faults. */
  readonly calmP99: { readonly median: number; readonly p95: number; readonly max: number };
  /** The longest delay of each of those stretches. */
  readonly calmMost: { readonly median: number; readonly p95: number; readonly max: number };
  /** The longest delay at any time; a hub that was frozen is one. */
  readonly most: number;
  readonly stretches: number;
}

function spread(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { median: at(0.5), p95: at(0.95), max: at(1) };
}

/** Node measures from one sample to the next, so each of its values contains the time between two. */
const samplingMs = 10;

/** Creates an empty record. */
export function createEventLoops(): EventLoops {
  const calm: { p99: number; most: number }[] = [];
  let most = 0;
  return {
    async ask(httpUrl, isCalm) {
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
      most = Math.max(most, longest);
      if (isCalm) calm.push({ p99, most: longest });
    },
    report: () => ({
      calmP99: spread(calm.map(({ p99 }) => p99)),
      calmMost: spread(calm.map((stretch) => stretch.most)),
      most,
      stretches: calm.length,
    }),
  };
}

import type { LatencyName } from './latencies.ts';
import type { Outcome } from './run.ts';

/** The targets of a run. The defaults are the project's, for one machine. */
export interface Targets {
  readonly maxDeliveryMs: number;
  readonly maxPresenceMs: number;
  readonly maxTypingMs: number;
  readonly minThroughput: number;
  readonly maxMemoryMb: number;
  readonly minAgents: number;
  readonly maxErrors: number;
}

/** The project's targets. */
export const targetDefaults: Targets = {
  maxDeliveryMs: 50,
  maxPresenceMs: 100,
  maxTypingMs: 100,
  minThroughput: 1_000,
  maxMemoryMb: 500,
  minAgents: 111,
  maxErrors: 0,
};

/** The result for one target. */
export interface Verdict {
  readonly name: string;
  readonly limit: string;
  readonly measured: string;
  /** Null if the run's options exclude it. */
  readonly holds: boolean | null;
}

/** Formats a number with separators and three significant digits. */
export function formatNumber(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Compares an outcome with each target. */
export function judge(outcome: Outcome, targets: Targets): Verdict[] {
  const { plan } = outcome;

  function latency(name: string, of: LatencyName, maxMs: number, rate: number): Verdict {
    const limit = `p99 < ${maxMs} ms`;
    const summary = outcome.latencies[of];
    if (rate === 0) return { name, limit, measured: 'not asked for', holds: null };
    // A missing measurement fails the target.
    if (summary === null) return { name, limit, measured: 'nothing came', holds: false };
    return { name, limit, measured: `${formatNumber(summary.p99)} ms`, holds: summary.p99 < maxMs };
  }

  const errors = Object.values(outcome.errors).reduce((sum, count) => sum + count, 0);
  const { lost, doubled, hub } = outcome;
  const memoryMb = hub === null ? null : hub.rssBytes / 1024 / 1024;
  return [
    latency('Pub/sub latency', 'delivery', targets.maxDeliveryMs, plan.rate),
    latency('Presence updates', 'presence', targets.maxPresenceMs, plan.presenceRate),
    latency('Typing broadcast', 'typing', targets.maxTypingMs, plan.typingRate),
    {
      name: 'Throughput',
      limit: `≥ ${targets.minThroughput.toLocaleString('en-US')} ops/s`,
      measured: `${formatNumber(outcome.operationsPerSecond)} ops/s`,
      holds: outcome.operationsPerSecond >= targets.minThroughput,
    },
    {
      name: 'Hub memory',
      limit: `< ${targets.maxMemoryMb} MB`,
      measured: memoryMb === null ? 'give --hub-pid' : `${formatNumber(memoryMb)} MB`,
      holds: memoryMb === null ? null : memoryMb < targets.maxMemoryMb,
    },
    {
      name: 'Connections',
      limit: `≥ ${targets.minAgents} agents + 1 watcher`,
      measured: `${outcome.connected} connected`,
      holds: outcome.connected >= targets.minAgents + 1,
    },
    {
      name: 'Exactly once, in order',
      limit: 'none lost or doubled',
      measured: `${lost} lost, ${doubled} doubled`,
      holds: lost === 0 && doubled === 0,
    },
    {
      name: 'Errors',
      limit: `≤ ${targets.maxErrors}`,
      measured: String(errors),
      holds: errors <= targets.maxErrors,
    },
  ];
}

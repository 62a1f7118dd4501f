import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './clock.ts';
import {
  createAgentGroup,
  type AgentGroup,
  type AgentGroupReport,
  type AgentGroupSetup,
} from './agent-group.ts';
import { readProcessUsage, type ProcessUsage } from './hub-process.ts';
import {
  createLatencies,
  latencyNames,
  type LatencyName,
  type LatencySummary,
} from './latencies.ts';
import { machineUsage, readMachineTicks, type MachineUsage } from './machine.ts';
import type { Identity, Plan } from './plan.ts';
import { connectWatcher, type Watcher } from './watcher.ts';
import { createAgentGroupProxy } from './agent-group-proxy.ts';

/** The measurements of a run. */
export interface Outcome {
  readonly plan: Plan;
  /** True if it was stopped early. */
  readonly isInterrupted: boolean;
  readonly measuredMs: number;
  /** Connections open at the end, the watcher's included. */
  readonly connected: number;
  /** Failures of agents to connect, join or subscribe, counted by message. */
  readonly failures: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly acked: number;
  /** Acknowledged operations and received events per second. */
  readonly operationsPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly deliveries: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reconnects: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly latencies: Readonly<Record<LatencyName, LatencySummary | null>>;
  /** Null when the hub's pid is not given. */
  readonly hub: {
    readonly cpuUsPerDelivery: number;
    readonly cores: number;
    readonly rssBytes: number;
  } | null;
  /** Usage of this process. */
  readonly generatorCores: number;
  /** Usage of the machine; null if the kernel does not report it. */
  readonly machine: MachineUsage | null;
  /** True if the hub reports that it uses Redis; null if it does not say. */
  readonly usesRedis: boolean | null;
}

/** Called with the progress of a run. */
export interface Progress {
  readonly phase: 'connecting' | 'warming up' | 'measuring' | 'draining';
  readonly elapsedMs: number;
  readonly totalMs: number;
  readonly sent: number;
  readonly acked: number;
  readonly deliveries: number;
}

/** Options of {@link runLoad}. */
export interface RunOptions {
  readonly identity: Identity;
  /** The hub's pid on this machine, to measure its CPU and memory. */
  readonly hubPid?: number;
  /** Keeps the channels at the end instead of deleting them. */
  readonly keepChannels?: boolean;
  /** Ends the run early; it reports the measurements made so far. */
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

const drainMs = 5_000;
const progressEveryMs = 250;
const leadMs = 100;
const askMs = 3_000;

const sharedArray = (length: number) =>
  new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));

/** Runs a plan against a hub. @throws {LoadgenError} when it cannot begin */
export async function runLoad(plan: Plan, options: RunOptions): Promise<Outcome> {
  const { identity, hubPid, signal } = options;
  if (hubPid !== undefined) readProcessUsage(hubPid);
  const counts = Array.from({ length: plan.workers }, () => sharedArray(3));
  const dues = { typing: sharedArray(plan.agents), reaction: sharedArray(plan.agents) };
  const watcher = await connectWatcher(plan, identity);
  const groups: AgentGroup[] = counts.map((own, part) => {
    const setup: AgentGroupSetup = { plan, identity, part, dues, counts: own };
    return plan.workers === 1 ? createAgentGroup(setup) : createAgentGroupProxy(setup);
  });
  try {
    return await carryOut();
  } finally {
    await Promise.all(groups.map((group) => group.close()));
    // If the hub is down, the channels stay.
    if (!options.keepChannels && watcher.isLive) await watcher.deleteChannels().catch(() => {});
    await watcher.close();
  }

  async function carryOut(): Promise<Outcome> {
    tell('connecting', 0);
    await watcher.createChannels();
    const failures = await atOnce((group) => group.join());
    await watcher.subscribe();
    failures.push(...(await atOnce((group) => group.subscribe())));

    const startMs = nowMs() + leadMs;
    const measureMs = startMs + plan.warmupMs;
    const endMs = measureMs + plan.durationMs;
    const stop = () => void atOnce((group) => group.stop());
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    const timer = setInterval(() => {
      const now = nowMs();
      const phase = now < measureMs ? 'warming up' : now < endMs ? 'measuring' : 'draining';
      tell(phase, now - startMs);
    }, progressEveryMs);
    try {
      const usage = measureUsage(measureMs, hubPid, signal);
      await atOnce((group) => group.run({ startMs, measureMs, endMs }));
      const heads = await headsOf(watcher);
      const reports = await atOnce((group) => group.report(heads, drainMs));
      const connected =
        reports.reduce((sum, { connected }) => sum + connected, 0) + (watcher.isLive ? 1 : 0);
      return outcomeOf(plan, reports, {
        connected,
        measureMs,
        usage: await usage.end(),
        usesRedis: await askUsesRedis(plan.url),
        failures: sumByKey(failures),
        isInterrupted: signal?.aborted ?? false,
      });
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', stop);
    }
  }

  function atOnce<T>(work: (group: AgentGroup) => Promise<T>): Promise<T[]> {
    return Promise.all(groups.map(work));
  }

  function tell(phase: Progress['phase'], elapsedMs: number) {
    const total = (slot: number) => counts.reduce((sum, own) => sum + (own[slot] ?? 0), 0);
    const totalMs = plan.warmupMs + plan.durationMs;
    options.onProgress?.({
      phase,
      totalMs,
      elapsedMs: Math.min(elapsedMs, totalMs),
      sent: total(0),
      acked: total(1),
      deliveries: total(2),
    });
  }
}

/** If there is no answer, each agent's last event counts as the head; the loss shows as errors. */
function headsOf(watcher: Watcher): Promise<Record<string, number>> {
  return watcher.heads().catch(() => ({}));
}

/** The report says whether the hub had Redis, because the results differ. */
async function askUsesRedis(url: string): Promise<boolean | null> {
  try {
    const address = new URL('/readyz', url.replace(/^ws/, 'http'));
    const response = await fetch(address, { signal: AbortSignal.timeout(askMs) });
    const { redis } = (await response.json()) as { redis?: { status?: string } };
    return redis?.status === undefined ? null : redis.status === 'ok';
  } catch {
    return null;
  }
}

interface Usage {
  readonly hub: { readonly cpuMs: number; readonly rssBytes: number } | null;
  readonly ownCpuMs: number;
  readonly elapsedMs: number;
  readonly machine: MachineUsage | null;
}

/** Starts to measure the CPU used and the highest memory. */
function measureUsage(fromMs: number, hubPid: number | undefined, signal: AbortSignal | undefined) {
  const read = (): ProcessUsage | null => {
    try {
      return hubPid === undefined ? null : readProcessUsage(hubPid);
    } catch {
      return null;
    }
  };
  let before: ProcessUsage | null = null;
  let last: ProcessUsage | null = null;
  let rssBytes = 0;
  let ownBefore = process.cpuUsage();
  let beganMs = nowMs();
  let machineBefore = readMachineTicks();
  const sample = () => {
    last = read() ?? last;
    rssBytes = Math.max(rssBytes, last?.rssBytes ?? 0);
  };
  const timer = setInterval(sample, 1_000);
  const begun = delay(Math.max(0, fromMs - nowMs()), undefined, { ...(signal && { signal }) })
    .catch(() => {})
    .then(() => {
      before = read();
      ownBefore = process.cpuUsage();
      beganMs = nowMs();
      machineBefore = readMachineTicks();
    });
  return {
    async end(): Promise<Usage> {
      await begun;
      sample();
      clearInterval(timer);
      const own = process.cpuUsage(ownBefore);
      const cpuMs = before === null || last === null ? null : last.cpuMs - before.cpuMs;
      return {
        hub: cpuMs === null ? null : { cpuMs, rssBytes },
        ownCpuMs: (own.user + own.system) / 1000,
        elapsedMs: nowMs() - beganMs,
        machine: machineUsage(machineBefore, readMachineTicks()),
      };
    },
  };
}

function sumByKey(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records) {
    for (const [key, count] of Object.entries(record)) sums[key] = (sums[key] ?? 0) + count;
  }
  return sums;
}

function outcomeOf(
  plan: Plan,
  reports: readonly AgentGroupReport[],
  run: {
    readonly measureMs: number;
    readonly usage: Usage;
    readonly connected: number;
    readonly failures: Readonly<Record<string, number>>;
    readonly isInterrupted: boolean;
    readonly usesRedis: boolean | null;
  },
): Outcome {
  const sum = (of: (report: AgentGroupReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const latencies = createLatencies();
  for (const report of reports) latencies.add(report.latencies);
  const acked = sum((report) => report.acked);
  const deliveries = sum((report) => report.deliveries);
  const lastAckMs = Math.max(...reports.map((report) => report.lastAckMs));
  // The time includes the last answers, so that a lag lowers the throughput.
  const plannedMs = run.isInterrupted ? 0 : plan.durationMs;
  const measuredMs = Math.max(plannedMs, lastAckMs - run.measureMs, 1);
  const { hub, ownCpuMs, elapsedMs, machine } = run.usage;
  return {
    plan,
    connected: run.connected,
    failures: run.failures,
    isInterrupted: run.isInterrupted,
    measuredMs,
    acked,
    deliveries,
    sent: sum((report) => report.sent),
    operationsPerSecond: (acked * 1000) / measuredMs,
    deliveriesPerSecond: (deliveries * 1000) / measuredMs,
    lost: sum((report) => report.lost),
    doubled: sum((report) => report.doubled),
    reconnects: sum((report) => report.reconnects),
    errors: sumByKey(reports.map((report) => report.errors)),
    latencies: Object.fromEntries(
      latencyNames.map((name) => [name, latencies.summary(name)]),
    ) as Outcome['latencies'],
    hub: hub && {
      cpuUsPerDelivery: (hub.cpuMs * 1000) / Math.max(1, deliveries),
      cores: hub.cpuMs / elapsedMs,
      rssBytes: hub.rssBytes,
    },
    generatorCores: ownCpuMs / elapsedMs,
    machine,
    usesRedis: run.usesRedis,
  };
}

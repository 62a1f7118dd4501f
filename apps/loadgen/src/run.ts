import { createAgentGroupProxy } from './fleet/agent-group-proxy.ts';
import {
  createAgentGroup,
  liveSlots,
  type AgentGroup,
  type AgentGroupSetup,
  type LiveSlot,
} from './fleet/agent-group.ts';
import { nowMs } from './measure/clock.ts';
import { readProcessUsage } from './measure/hub-process.ts';
import { requestHub } from './fleet/hub-request.ts';
import { measurementOf, sumByKey, type Outcome, type StageRecord } from './measure/outcome.ts';
import { urlOf, type Identity, type Plan, type Stage } from './plan/plan.ts';
import { probeHubs } from './fleet/probe.ts';
import { intervalMsFor, mergeSeries } from './measure/series.ts';
import { measureUsage } from './measure/usage.ts';
import { connectWatcher, type Watcher } from './fleet/watcher.ts';

export interface Progress {
  readonly phase: 'connecting' | 'warming up' | 'measuring' | 'draining';
  readonly elapsedMs: number;
  readonly totalMs: number;
  readonly stage: number;
  readonly stages: number;
  readonly live: Readonly<Record<LiveSlot, number>>;
}

export interface RunOptions {
  readonly identity: Identity;
  /** The run measures the CPU and memory of this hub, so the hub must run on this machine. */
  readonly hubPid?: number;
  readonly keepChannels?: boolean;
  /** Ends the run early. The run then reports the measurements made so far. */
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
  /** The run calls this after each stage. False ends the run. @default continues */
  mayContinue?(soFar: Outcome): boolean;
}

const drainMs = 5_000;
const progressEveryMs = 250;
const leadMs = 100;
// A later stage starts on warm connections, so its load becomes steady sooner.
const laterWarmupMs = 1_000;

const sharedArray = (length: number) =>
  new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));

export async function runLoad(plan: Plan, options: RunOptions): Promise<Outcome> {
  const { identity, hubPid, signal } = options;
  if (hubPid !== undefined) readProcessUsage(hubPid);
  const slots = Object.keys(liveSlots) as LiveSlot[];
  const counts = Array.from({ length: plan.workers }, () => sharedArray(slots.length));
  const dues = { typing: sharedArray(plan.agents), reaction: sharedArray(plan.agents) };
  await probeHubs(plan, identity);
  const watcher = await connectWatcher(plan, identity);
  const startedAt = new Date().toISOString();
  const groups: AgentGroup[] = counts.map((own, part) => {
    const setup: AgentGroupSetup = { plan, identity, part, dues, counts: own };
    return plan.workers === 1 ? createAgentGroup(setup) : createAgentGroupProxy(setup);
  });
  const stop = () => void atOnce((group) => group.stop());
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    return await carryOut();
  } finally {
    signal?.removeEventListener('abort', stop);
    await Promise.all(groups.map((group) => group.close()));
    // The channels can be deleted only while the hub is up.
    if (!options.keepChannels && watcher.isLive) await watcher.deleteChannels().catch(() => {});
    await watcher.close();
  }

  async function carryOut(): Promise<Outcome> {
    const timer = setInterval(() => tell('connecting', 0, 0), progressEveryMs);
    const failures: Record<string, number>[] = [];
    try {
      tell('connecting', 0, 0);
      await watcher.createChannels();
      failures.push(...(await atOnce((group) => group.join())));
      await watcher.subscribe();
      failures.push(...(await atOnce((group) => group.subscribe())));
    } finally {
      clearInterval(timer);
    }
    const runMs = plan.stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const laterMs = (plan.stages.length - 1) * (laterWarmupMs + drainMs);
    const intervalMs = intervalMsFor(runMs + laterMs);
    const usesRedis = await askUsesRedis(plan);
    const seriesStartMs = nowMs() + leadMs + plan.warmupMs;
    const records: StageRecord[] = [];

    function outcome(): Outcome {
      const reports = records.flatMap((record) => record.reports);
      return {
        plan,
        startedAt,
        usesRedis,
        failures: sumByKey(failures),
        isInterrupted: signal?.aborted ?? false,
        stages: records.map((record) => ({
          stage: record.stage,
          measurement: measurementOf([record]),
        })),
        total: measurementOf(records),
        series: mergeSeries(
          reports.flatMap((report) => report.series),
          intervalMs,
        ),
      };
    }

    for (const [number, stage] of plan.stages.entries()) {
      const warmupMs = number === 0 ? plan.warmupMs : Math.min(laterWarmupMs, plan.warmupMs);
      records.push(await runStage({ stage, number, warmupMs, seriesStartMs, intervalMs }));
      if (signal?.aborted || options.mayContinue?.(outcome()) === false) break;
    }
    return outcome();
  }

  async function runStage(of: {
    readonly stage: Stage;
    readonly number: number;
    readonly warmupMs: number;
    readonly seriesStartMs: number;
    readonly intervalMs: number;
  }): Promise<StageRecord> {
    const { stage, number, seriesStartMs, intervalMs } = of;
    const startMs = nowMs() + leadMs;
    const measureMs = startMs + of.warmupMs;
    const endMs = measureMs + stage.durationMs;
    const timer = setInterval(() => {
      const now = nowMs();
      const phase = now < measureMs ? 'warming up' : now < endMs ? 'measuring' : 'draining';
      tell(phase, now - startMs, number);
    }, progressEveryMs);
    try {
      const usage = measureUsage(measureMs, hubPid, signal);
      const { factor } = stage;
      await atOnce((group) =>
        group.run({ startMs, measureMs, endMs, factor, seriesStartMs, intervalMs }),
      );
      const heads = await headsOf(watcher);
      const reports = await atOnce((group) => group.report(heads, drainMs));
      const connected =
        reports.reduce((sum, report) => sum + report.connected, 0) + (watcher.isLive ? 1 : 0);
      const isInterrupted = signal?.aborted ?? false;
      return { stage, reports, connected, measureMs, isInterrupted, usage: await usage.end() };
    } finally {
      clearInterval(timer);
    }
  }

  function atOnce<T>(work: (group: AgentGroup) => Promise<T>): Promise<T[]> {
    return Promise.all(groups.map(work));
  }

  function tell(phase: Progress['phase'], elapsedMs: number, stage: number) {
    const sum = (slot: number) => counts.reduce((total, own) => total + (own[slot] ?? 0), 0);
    const highest = (slot: number) => Math.max(...counts.map((own) => own[slot] ?? 0));
    const live = {} as Record<LiveSlot, number>;
    for (const name of slots) {
      const slot = liveSlots[name];
      live[name] = name.endsWith('P99Ms') ? highest(slot) : sum(slot);
    }
    const { durationMs = 0 } = plan.stages[stage] ?? {};
    const warmupMs = stage === 0 ? plan.warmupMs : Math.min(laterWarmupMs, plan.warmupMs);
    const totalMs = warmupMs + durationMs;
    options.onProgress?.({
      phase,
      totalMs,
      live,
      elapsedMs: Math.max(0, Math.min(elapsedMs, totalMs)),
      stage: stage + 1,
      stages: plan.stages.length,
    });
  }
}

/**
 * If the hub does not answer, there are no heads, and each agent's newest event counts as the head. The failed calls
 * are reported as errors anyway.
 */
function headsOf(watcher: Watcher): Promise<Record<string, number>> {
  return watcher.heads().catch(() => ({}));
}

async function askUsesRedis(plan: Plan): Promise<boolean | null> {
  try {
    const call = { tls: plan.tls, method: 'GET', path: '/readyz' } as const;
    const { body } = await requestHub(urlOf(plan, 0), call);
    const { redis } = JSON.parse(body) as { redis?: { status?: string } };
    return redis?.status === undefined ? null : redis.status === 'ok';
  } catch {
    return null;
  }
}

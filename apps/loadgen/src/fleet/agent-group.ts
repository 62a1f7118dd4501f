import { performance } from 'node:perf_hooks';
import { createAgent, type VirtualAgent } from './agent.ts';
import { nowMs } from '../measure/clock.ts';
import { createFrameCache } from './frame-cache.ts';
import { createSocketFactory } from './lean-socket.ts';
import type { DueTimes } from './received-events.ts';
import type { LatencyName } from '../measure/latencies.ts';
import { agentIdOf, urlOf, type Identity, type Plan, type Rates } from '../plan/plan.ts';
import { createSchedule } from '../plan/schedule.ts';
import { createSeries, type EncodedInterval } from '../measure/series.ts';
import { countError, createTally, resetTally, type StageTimes } from '../measure/tally.ts';
import { signInOf } from './tokens.ts';

/** The slots of {@link AgentGroupSetup.counts}. Only `deliveries` leaves out the warm-up. */
export const liveSlots = {
  sent: 0,
  acked: 1,
  deliveries: 2,
  errors: 3,
  connected: 4,
  deliveryP99Ms: 5,
  ackP99Ms: 6,
  latenessP99Ms: 7,
} as const;
export type LiveSlot = keyof typeof liveSlots;

/** Plain data and shared memory only, so that a worker thread can get it. */
export interface AgentGroupSetup {
  readonly plan: Plan;
  readonly identity: Identity;
  /** This group has the agents whose number modulo `plan.workers` equals `part`. */
  readonly part: number;
  readonly dues: DueTimes;
  readonly counts: Float64Array<SharedArrayBuffer>;
}

export interface StageRun extends StageTimes {
  readonly factor: number;
  /** The start of the first stage's measurement. */
  readonly seriesStartMs: number;
  readonly intervalMs: number;
}

export interface AgentGroupReport {
  readonly connected: number;
  readonly sent: number;
  readonly acked: number;
  readonly lastAckMs: number;
  readonly deliveries: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reconnects: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly latencies: Record<LatencyName, string>;
  readonly skipped: number;
  readonly series: readonly EncodedInterval[];
  readonly loopUtilization: number;
}

export interface AgentGroup {
  /** Resolves with the failures, counted by message. */
  join(): Promise<Record<string, number>>;
  subscribe(): Promise<Record<string, number>>;
  run(stage: StageRun): Promise<void>;
  /**
   * Starts no further operations and connections. After that, `run` resolves when the operations in flight are
   * answered.
   */
  stop(): Promise<void>;
  /**
   * Waits until every agent has received its channels' events up to `heads`, at most `timeoutMs`. Resolves with the
   * measurements of the last stage.
   */
  report(heads: Readonly<Record<string, number>>, timeoutMs: number): Promise<AgentGroupReport>;
  close(): Promise<void>;
}

// At most this many agents connect at once, because a hub admits connections at a limited rate.
const connectingMax = 50;
const pollMs = 10;

export function createAgentGroup({
  plan,
  identity,
  part,
  dues,
  counts,
}: AgentGroupSetup): AgentGroup {
  const tally = createTally();
  const parseFrame = createFrameCache();
  const isOurs = (index: number) => index % plan.workers === part;
  const indexes = Array.from({ length: plan.agents }, (_, index) => index).filter(isOurs);
  const agents = new Map<number, VirtualAgent>();
  const cuts = plan.cutEveryMs;
  let isStopped = false;
  // A client's counts only grow, so the counts of earlier stages are subtracted.
  let reported = { lost: 0, doubled: 0 };
  let loopUtilization = 0;

  const add = (slot: LiveSlot, count: number) => {
    counts[liveSlots[slot]] = (counts[liveSlots[slot]] ?? 0) + count;
  };

  function create(index: number): VirtualAgent {
    const url = urlOf(plan, index);
    const agent = createAgent(index, {
      plan,
      tally,
      dues,
      sockets: createSocketFactory(plan.tls),
      clientOptions: {
        url,
        ...signInOf(identity, url, agentIdOf(plan, index), plan.tls),
        parseFrame,
      },
      onAck: () => add('acked', 1),
      onError: () => add('errors', 1),
    });
    let isLive = false;
    agent.client.on('state', ({ state }) => {
      if ((state === 'live') === isLive) return;
      isLive = !isLive;
      add('connected', isLive ? 1 : -1);
    });
    return agent;
  }

  /**
   * Does `work` for all agents, a limited number of them at a time. An agent that fails takes no part in later steps.
   */
  async function each(work: (agent: VirtualAgent) => Promise<void>) {
    const failures = new Map<string, number>();
    const waiting = all();
    const next = async (): Promise<void> => {
      const agent = waiting.shift();
      if (agent === undefined || isStopped) return;
      await work(agent).catch((error: unknown) => {
        agents.delete(agent.index);
        void agent.close();
        countError(failures, error instanceof Error ? error.message : String(error));
      });
      return next();
    };
    await Promise.all(Array.from({ length: connectingMax }, next));
    return Object.fromEntries(failures);
  }

  async function until(condition: () => boolean, endMs: number) {
    while (!condition() && nowMs() < endMs)
      await new Promise((resolve) => setTimeout(resolve, pollMs));
  }

  function showLive() {
    const { series } = tally;
    counts[liveSlots.deliveries] = tally.deliveries;
    if (series === null) return;
    counts[liveSlots.deliveryP99Ms] = series.lastP99('delivery');
    counts[liveSlots.ackP99Ms] = series.lastP99('ack');
    counts[liveSlots.latenessP99Ms] = series.lastP99('lateness');
  }

  const all = () => [...agents.values()];
  const isIdle = () => all().every((agent) => agent.pending === 0);

  return {
    join() {
      for (const index of indexes) agents.set(index, create(index));
      return each((agent) => agent.join());
    },
    subscribe: () => each((agent) => agent.subscribe()),
    async run(stage) {
      resetTally(tally, stage);
      tally.series ??= createSeries(stage.seriesStartMs, stage.intervalMs);
      const series = tally.series;
      const schedule = createSchedule({
        startMs: stage.startMs,
        endMs: stage.endMs,
        agents: plan.agents,
        burst: plan.burst,
        rates: timesFactor(plan.rates, stage.factor),
        isOurs: (index) => agents.has(index),
      });
      let nextCutMs = cuts === null ? Infinity : stage.measureMs + cuts;
      let before: ReturnType<typeof performance.eventLoopUtilization> | null = null;
      while (!isStopped && schedule.nextDueMs < Infinity) {
        const now = nowMs();
        series.advance(now);
        if (before === null && now >= stage.measureMs) before = performance.eventLoopUtilization();
        for (let due = schedule.take(now); due !== undefined; due = schedule.take(now)) {
          agents.get(due.agent)?.perform(due);
          add('sent', 1);
        }
        if (now >= nextCutMs && cuts !== null) {
          for (const agent of agents.values()) agent.cut();
          nextCutMs += cuts;
        }
        showLive();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      if (before !== null) loopUtilization = performance.eventLoopUtilization(before).utilization;
      // No time limit is needed, because each call ends with an answer or with the client's timeout.
      await until(() => {
        series.advance(nowMs());
        return isIdle();
      }, Infinity);
      showLive();
    },
    async stop() {
      isStopped = true;
      // Calls after this time, such as the end of a typing, do not count.
      tally.times = { ...tally.times, endMs: Math.min(tally.times.endMs, nowMs()) };
    },
    async report(heads, timeoutMs) {
      await until(
        () => all().every(({ received }) => received.missing(heads) === 0),
        nowMs() + timeoutMs,
      );

      const total = { lost: 0, doubled: 0 };
      for (const { client, received } of all()) {
        const { lost, doubled } = received.counts();
        total.lost += received.missing(heads) + lost;
        total.doubled += client.counters.repeated + doubled;
      }
      const before = reported;
      reported = total;
      return {
        lost: Math.max(0, total.lost - before.lost),
        doubled: total.doubled - before.doubled,
        reconnects: tally.reconnects,
        skipped: tally.skipped,
        series: tally.series?.take() ?? [],
        loopUtilization,
        connected: all().filter(({ client }) => client.state === 'live').length,
        sent: tally.sent,
        acked: tally.acked,
        lastAckMs: tally.lastAckMs,
        deliveries: tally.deliveries,
        errors: Object.fromEntries(tally.errors),
        latencies: tally.latencies.encode(),
      };
    },
    async close() {
      isStopped = true;
      await Promise.all(all().map((agent) => agent.close()));
    },
  };
}

function timesFactor(rates: Rates, factor: number): Rates {
  return Object.fromEntries(
    Object.entries(rates).map(([kind, rate]) => [kind, rate * factor]),
  ) as unknown as Rates;
}

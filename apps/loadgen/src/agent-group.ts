import { createAgent, type DueTimes, type VirtualAgent } from './agent.ts';
import { nowMs } from './clock.ts';
import { createFrameCache } from './frame-cache.ts';
import { LeanSocket } from './lean-socket.ts';
import { createLatencies, type LatencyName } from './latencies.ts';
import { agentIdOf, type Identity, type Plan } from './plan.ts';
import { createSchedule } from './schedule.ts';
import { countError, createTally, type RunTimes } from './tally.ts';
import { signInOf } from './tokens.ts';

/** Options of a group: plain data and shared memory, so that they can go to a worker thread. */
export interface AgentGroupSetup {
  readonly plan: Plan;
  readonly identity: Identity;
  /** The group has the agents whose number modulo `plan.workers` is this. */
  readonly part: number;
  readonly dues: DueTimes;
  /** Live counters: operations sent, operations acknowledged, and events received since the warm-up. */
  readonly counts: Float64Array<SharedArrayBuffer>;
}

export interface AgentGroupReport {
  /** Agents that are connected and subscribed at the end. */
  readonly connected: number;
  readonly sent: number;
  readonly acked: number;
  readonly lastAckMs: number;
  readonly deliveries: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reconnects: number;
  /** By the code of HubError. */
  readonly errors: Readonly<Record<string, number>>;
  readonly latencies: Record<LatencyName, string>;
}

/** The agents of one thread. */
export interface AgentGroup {
  /** Connects the agents and joins their channels. Resolves with the failures, counted by message. */
  join(): Promise<Record<string, number>>;
  /** Subscribes the joined agents. Resolves like `join`. */
  subscribe(): Promise<Record<string, number>>;
  /** Runs the schedule. Resolves when every operation is answered. */
  run(times: RunTimes): Promise<void>;
  /** Starts no further operations; `run` resolves when those in flight are answered. */
  stop(): Promise<void>;
  /** Waits until every agent has its channels' heads, and resolves with the measurements. */
  report(heads: Readonly<Record<string, number>>, timeoutMs: number): Promise<AgentGroupReport>;
  close(): Promise<void>;
}

// Agents that connect at the same time. A hub admits connections at a bounded rate.
const connectingMax = 50;
const pollMs = 10;

/** Creates a group. It does not connect before `join`. */
export function createAgentGroup({
  plan,
  identity,
  part,
  dues,
  counts,
}: AgentGroupSetup): AgentGroup {
  const tally = createTally(createLatencies());
  const parseFrame = createFrameCache();
  const isOurs = (index: number) => index % plan.workers === part;
  const indexes = Array.from({ length: plan.agents }, (_, index) => index).filter(isOurs);
  const agents = new Map<number, VirtualAgent>();
  let reconnects = 0;
  let isStopped = false;

  function create(index: number): VirtualAgent {
    const agent = createAgent(index, {
      plan,
      tally,
      dues,
      clientOptions: {
        url: plan.url,
        ...signInOf(identity, plan.url, agentIdOf(plan, index)),
        parseFrame,
        webSocket: LeanSocket,
      },
      onAck: () => {
        counts[1] = (counts[1] ?? 0) + 1;
      },
    });
    agent.client.on('state', ({ state }) => {
      if (state === 'reconnecting') reconnects += 1;
    });
    return agent;
  }

  /** Runs a step for all agents, some at a time. An agent that fails is left out from then on. */
  async function each(work: (agent: VirtualAgent) => Promise<void>) {
    const failures = new Map<string, number>();
    const waiting = all();
    const next = async (): Promise<void> => {
      const agent = waiting.shift();
      if (agent === undefined) return;
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

  const all = () => [...agents.values()];
  const isIdle = () => all().every((agent) => agent.pending === 0);

  return {
    join() {
      for (const index of indexes) agents.set(index, create(index));
      return each((agent) => agent.join());
    },
    subscribe: () => each((agent) => agent.subscribe()),
    async run(times) {
      tally.times = times;
      const { rate, typingRate, presenceRate, reactionRate } = plan;
      const schedule = createSchedule({
        startMs: times.startMs,
        endMs: times.endMs,
        agents: plan.agents,
        rates: {
          message: rate,
          typing: typingRate,
          presence: presenceRate,
          reaction: reactionRate,
        },
        isOurs: (index) => agents.has(index),
      });
      while (!isStopped && schedule.nextDueMs < Infinity) {
        const now = nowMs();
        for (let due = schedule.take(now); due !== undefined; due = schedule.take(now)) {
          agents.get(due.agent)?.perform(due);
          counts[0] = (counts[0] ?? 0) + 1;
        }
        counts[2] = tally.deliveries;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      // There is no time limit here, because each call ends with an answer or with the client's timeout.
      await until(isIdle, Infinity);
    },
    async stop() {
      isStopped = true;
    },
    async report(heads, timeoutMs) {
      const missing = (agent: VirtualAgent) => {
        let count = 0;
        for (const [id, { last }] of agent.watches) count += Math.max(0, (heads[id] ?? 0) - last);
        return count;
      };
      await until(() => all().every((agent) => missing(agent) === 0), nowMs() + timeoutMs);

      let lost = 0;
      let doubled = 0;
      for (const agent of all()) {
        lost += missing(agent);
        doubled += agent.client.counters.repeated;
        for (const watch of agent.watches.values()) {
          lost += watch.lost;
          doubled += watch.doubled;
        }
      }
      return {
        lost,
        doubled,
        reconnects,
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

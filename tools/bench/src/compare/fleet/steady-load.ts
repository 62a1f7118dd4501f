import { createHistogram } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { machineBusyMs, processorMs } from '../processor-time.ts';
import { publish, type Channel } from './channels.ts';
import type { Client } from './client.ts';
import { nowMicros } from './marks.ts';
import { atPace } from './pace.ts';
import { createReceived } from './received.ts';

export interface LoadPlan {
  readonly perSecond: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly contentBytes: number;
  readonly drainMs: number;
  readonly pids: { readonly servers: readonly number[]; readonly redis: number };
}

export interface LoadResult {
  readonly sent: number;
  readonly deliveriesPerSecond: number;
  readonly duePerSecond: number;
  /** The unit is µs of processor time per delivery. */
  readonly serverMicros: number;
  readonly redisMicros: number;
  /** The processor use of this process, in cores. */
  readonly clientCores: number;
  /** The processor use of all other processes of the machine except the servers and Redis, in cores. */
  readonly otherCores: number;
  /** Latencies are from the sender's call to the arrival at a receiver. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Counts deliveries that did not arrive within `drainMs` after the last message. */
  readonly lost: number;
  readonly doubled: number;
  /** The longest time that a send was late. Late sends make the measured latencies too high. */
  readonly maxLateMs: number;
}

export interface SteadyLoad {
  onDelivery(client: Client, index: number, sentMicros: number): void;
  run(): Promise<LoadResult>;
}

const longestMs = 3_600_000;

/** Messages of the load are numbered from `firstIndex` on. */
export function createSteadyLoad(
  clients: readonly Client[],
  channels: readonly Channel[],
  firstIndex: number,
  plan: LoadPlan,
): SteadyLoad {
  const latencies = createHistogram({ lowest: 1, highest: longestMs * 1_000, figures: 3 });
  const countOf = (ms: number) => Math.ceil((ms * plan.perSecond) / 1_000);
  const warmUp = countOf(plan.warmUpMs);
  const count = countOf(plan.durationMs);
  const firstMeasured = firstIndex + warmUp;
  const received = new Map(clients.map((client) => [client, createReceived(warmUp + count)]));
  let deliveries = 0;

  const readCounters = () => ({
    atMs: performance.now(),
    deliveries,
    busyMs: machineBusyMs(),
    serverMs: plan.pids.servers.reduce((sum, pid) => sum + processorMs(pid), 0),
    redisMs: processorMs(plan.pids.redis),
    clientMs: processorMs(process.pid),
  });
  const distinct = () => [...received.values()].reduce((sum, one) => sum + one.distinct, 0);
  /** Returns how many deliveries are due after this number of messages. */
  function due(messages: number): number {
    const rounds = Math.floor(messages / channels.length);
    return channels.reduce((sum, { members }, at) => {
      const rest = (firstIndex + messages) % channels.length;
      const start = firstIndex % channels.length;
      const isInRest = start <= rest ? at >= start && at < rest : at >= start || at < rest;
      return sum + (rounds + (isInRest ? 1 : 0)) * members.length;
    }, 0);
  }

  return {
    onDelivery(client, index, sentMicros) {
      // A late message of an earlier load is ignored.
      if (index < firstIndex) return;
      deliveries += 1;
      if (received.get(client)?.add(index - firstIndex) && index >= firstMeasured)
        latencies.record(Math.max(1, nowMicros() - sentMicros));
    },
    async run() {
      const send = (from: number, messages: number) =>
        atPace(plan.perSecond, messages, (at) => {
          publish(channels, from + at, plan.contentBytes);
        });
      await send(firstIndex, warmUp);
      const before = readCounters();
      const maxLateMs = await send(firstMeasured, count);
      const after = readCounters();
      const owed = due(warmUp + count);
      const endMs = performance.now() + plan.drainMs;
      while (distinct() < owed && performance.now() < endMs) await delay(20);

      const seconds = (after.atMs - before.atMs) / 1_000;
      const delivered = after.deliveries - before.deliveries;
      const serverMs = after.serverMs - before.serverMs;
      const redisMs = after.redisMs - before.redisMs;
      const clientMs = after.clientMs - before.clientMs;
      const otherMs = after.busyMs - before.busyMs - serverMs - redisMs - clientMs;
      return {
        sent: warmUp + count,
        deliveriesPerSecond: delivered / seconds,
        duePerSecond: (due(warmUp + count) * plan.perSecond) / (warmUp + count),
        serverMicros: (1_000 * serverMs) / delivered,
        redisMicros: (1_000 * redisMs) / delivered,
        clientCores: clientMs / 1_000 / seconds,
        otherCores: Math.max(0, otherMs) / 1_000 / seconds,
        p50Ms: latencies.percentile(50) / 1_000,
        p99Ms: latencies.percentile(99) / 1_000,
        maxMs: latencies.max / 1_000,
        lost: owed - distinct(),
        doubled: [...received.values()].reduce((sum, one) => sum + one.doubled, 0),
        maxLateMs,
      };
    },
  };
}

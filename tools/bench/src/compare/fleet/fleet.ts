import { createHistogram } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { dialects, type DialectName } from '../dialects/dialects.ts';
import { machineBusyMs, processorMs } from '../processor-time.ts';
import { createClient, type Client } from './client.ts';
import { markedText, nowMicros } from './marks.ts';
import { createReceived, type Received } from './received.ts';

export interface FleetSetup {
  readonly dialect: DialectName;
  readonly port: number;
  /** One client for each. */
  readonly members: readonly { readonly agentId: string; readonly channelIds: readonly string[] }[];
  readonly readsFrames: boolean;
}

export interface LoadPlan {
  readonly perSecond: number;
  /** Traffic of the same rate before the measurement, while code is compiled and pools fill. */
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly contentBytes: number;
  /** How long the last deliveries may take. */
  readonly drainMs: number;
  /** The processes whose processor time is read at the beginning and the end. */
  readonly pids: Readonly<Record<string, number>>;
}

export interface LoadResult {
  readonly sent: number;
  readonly deliveriesPerSecond: number;
  /** Processor time of each process in µs, divided by the deliveries of the same time. */
  readonly microsPerDelivery: Readonly<Record<string, number>>;
  /** Seconds of processor time a second, by process; `clients` is this process. */
  readonly cores: Readonly<Record<string, number>>;
  /** The same for everything else on this machine. */
  readonly otherCores: number;
  /** From the call of the sender to the arrival at a receiver. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Deliveries that had not arrived `drainMs` after the last message, of all messages. */
  readonly lost: number;
  readonly doubled: number;
  readonly refused: number;
  readonly firstRefusal: string | null;
  readonly closes: number;
  /** The longest that this process was behind its plan. Latencies of a run in which it was late are too high. */
  readonly maxLateMs: number;
}

export interface Fleet {
  connect(): Promise<void>;
  runLoad(plan: LoadPlan): Promise<LoadResult>;
  close(): Promise<void>;
}

/** Connections in the making at a time. A hub admits 400 a second. */
const connectingAtOnce = 20;
const tickMs = 1;
const neverMs = 3_600_000;

export function createFleet(setup: FleetSetup): Fleet {
  const dialect = dialects[setup.dialect];
  const latencies = createHistogram({ lowest: 1, highest: neverMs * 1_000, figures: 3 });
  const received = new Map<Client, Received>();
  let deliveries = 0;
  let firstMeasured = 0;
  let refused = 0;
  let firstRefusal: string | null = null;

  const events = {
    onDelivery(client: Client, index: number, sentMicros: number) {
      deliveries += 1;
      if (received.get(client)?.add(index) && index >= firstMeasured)
        latencies.record(Math.max(1, nowMicros() - sentMicros));
    },
    onAccepted: () => undefined,
    onRefused(answer: string) {
      refused += 1;
      firstRefusal ??= answer.slice(0, 500);
    },
    onPositionLost: () => undefined,
  };
  const clients = setup.members.map((member) =>
    createClient({ ...member, dialect, port: setup.port, readsFrames: setup.readsFrames }, events),
  );
  const channels = channelsOf(clients);

  async function connect() {
    let next = 0;
    const work = async () => {
      for (let client = clients[next++]; client; client = clients[next++]) await client.connect();
    };
    await Promise.all(Array.from({ length: connectingAtOnce }, work));
  }

  /** Sends message after message when it is due. Resolves when the last of `count` was sent. */
  async function send(plan: LoadPlan, from: number, count: number): Promise<number> {
    const startMs = performance.now();
    let maxLateMs = 0;
    let sent = 0;
    while (sent < count) {
      const due = Math.min(count, ((performance.now() - startMs) * plan.perSecond) / 1_000);
      const oldestDueMs = startMs + (sent * 1_000) / plan.perSecond;
      if (sent < due) maxLateMs = Math.max(maxLateMs, performance.now() - oldestDueMs);
      for (; sent < due; sent += 1) publish(from + sent, plan.contentBytes);
      await delay(tickMs);
    }
    return maxLateMs;
  }

  function publish(index: number, contentBytes: number) {
    const channel = channels[index % channels.length];
    const member = channel?.members[Math.floor(index / channels.length) % channel.members.length];
    const text = markedText({ index, sentMicros: nowMicros() }, contentBytes);
    if (channel && member) member.publish(index, channel.channelId, text);
  }

  async function runLoad(plan: LoadPlan): Promise<LoadResult> {
    const countOf = (ms: number) => Math.ceil((ms * plan.perSecond) / 1_000);
    const warmUp = countOf(plan.warmUpMs);
    const count = countOf(plan.durationMs);
    for (const client of clients) received.set(client, createReceived(warmUp + count));
    firstMeasured = warmUp;
    await send(plan, 0, warmUp);
    const reading = () => ({
      atMs: performance.now(),
      deliveries,
      busyMs: machineBusyMs(),
      processorMs: Object.entries({ ...plan.pids, clients: process.pid }).map(
        ([name, pid]) => [name, processorMs(pid)] as const,
      ),
    });
    const before = reading();
    const maxLateMs = await send(plan, warmUp, count);
    const after = reading();
    const owed = owedDeliveries(warmUp + count);
    const distinct = () => [...received.values()].reduce((sum, one) => sum + one.distinct, 0);
    const endMs = performance.now() + plan.drainMs;
    while (distinct() < owed && performance.now() < endMs) await delay(20);

    const seconds = (after.atMs - before.atMs) / 1_000;
    const delivered = after.deliveries - before.deliveries;
    const used = after.processorMs.map(
      ([name, ms], at) => [name, ms - (before.processorMs[at]?.[1] ?? 0)] as const,
    );
    const usedMs = used.reduce((sum, [, ms]) => sum + ms, 0);
    return {
      sent: warmUp + count,
      deliveriesPerSecond: delivered / seconds,
      microsPerDelivery: Object.fromEntries(
        used.map(([name, ms]) => [name, (1_000 * ms) / delivered]),
      ),
      cores: Object.fromEntries(used.map(([name, ms]) => [name, ms / 1_000 / seconds])),
      otherCores: Math.max(0, after.busyMs - before.busyMs - usedMs) / 1_000 / seconds,
      p50Ms: latencies.percentile(50) / 1_000,
      p99Ms: latencies.percentile(99) / 1_000,
      maxMs: latencies.max / 1_000,
      lost: owed - distinct(),
      doubled: [...received.values()].reduce((sum, one) => sum + one.doubled, 0),
      refused,
      firstRefusal,
      closes: clients.reduce((sum, { closes }) => sum + closes, 0),
      maxLateMs,
    };
  }

  function owedDeliveries(messages: number): number {
    const rounds = Math.floor(messages / channels.length);
    return channels.reduce((sum, { members }, at) => {
      const ofChannel = rounds + (at < messages % channels.length ? 1 : 0);
      return sum + ofChannel * members.length;
    }, 0);
  }

  return {
    connect,
    runLoad,
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}

interface Channel {
  readonly channelId: string;
  readonly members: readonly Client[];
}

function channelsOf(clients: readonly Client[]): readonly Channel[] {
  const members = new Map<string, Client[]>();
  for (const client of clients) {
    for (const channelId of client.channelIds)
      members.set(channelId, [...(members.get(channelId) ?? []), client]);
  }
  return [...members].map(([channelId, list]) => ({ channelId, members: list }));
}

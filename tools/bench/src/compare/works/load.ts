import { startRedis } from '@openclaw/test-support';
import { startFleet } from '../fleet/fleet-proxy.ts';
import type { LoadResult } from '../fleet/fleet.ts';
import { memoryOf } from '../processor-time.ts';
import type { System } from '../systems/system.ts';
import { membersOf } from './membership.ts';
import type { Effort, Measured, Work } from './work.ts';

/** Agents in channels, each in one, and the messages that they send together. */
export interface Load {
  readonly agents: number;
  readonly channels: number;
  readonly perSecond: number;
}

const drainMs = 10_000;
/** A sender that was later than this has not kept to its plan. */
const maxLateMs = 100;
/** Processor time of other programs above which a run is not comparable. */
const maxOtherCores = 0.15;
const mebibyte = 1_048_576;

/** A steady load: its costs, its latency, its losses. */
export function loadWork(name: string, load: Load): Work {
  const perSecond = load.perSecond.toLocaleString('en');
  const place = load.channels === 1 ? 'one channel' : `${load.channels} channels`;
  return {
    name,
    description: `${load.agents} agents in ${place}, ${perSecond} messages/s`,
    columns: [
      { key: 'deliveriesPerSecond', title: 'deliveries/s', digits: 0 },
      { key: 'serverMicros', title: 'server µs', digits: 2 },
      { key: 'redisMicros', title: 'Redis µs', digits: 2 },
      { key: 'sumMicros', title: 'µs a delivery', digits: 2 },
      { key: 'p50Ms', title: 'p50 ms', digits: 1 },
      { key: 'p99Ms', title: 'p99 ms', digits: 1 },
      { key: 'lost', title: 'lost', digits: 0 },
      { key: 'peakMebibytes', title: 'peak MiB', digits: 0 },
      { key: 'clientCores', title: 'clients’ cores', digits: 2 },
    ],
    comparedBy: 'sumMicros',
    run: async (system, effort) => measuredOf(await runLoad(system, load, effort)),
  };
}

/** The result of one load on one system. */
export interface LoadRun extends LoadResult {
  readonly peakBytes: number;
}

/** Starts the system with a Redis of its own, runs the load, and stops both. */
export async function runLoad(system: System, load: Load, effort: Effort): Promise<LoadRun> {
  const { warmUpMs, durationMs, contentBytes } = effort;
  const { perSecond } = load;
  const members = membersOf(load.agents, load.channels);
  await using redis = await startRedis();
  await using running = await system.start(redis);
  await system.prepare(running, members);
  await using fleet = await startFleet({
    dialect: system.dialect,
    port: running.port,
    members,
    readsFrames: false,
  });
  await fleet.connect();
  const { pids } = running;
  const plan = { perSecond, warmUpMs, durationMs, contentBytes, drainMs, pids };
  const result = await fleet.runLoad(plan);
  return { ...result, peakBytes: memoryOf(pids.server).peakBytes };
}

function measuredOf(run: LoadRun): Measured {
  const { server = 0, redis = 0 } = run.microsPerDelivery;
  const notes = [];
  if (run.refused > 0) notes.push(`${run.refused} refused, the first: ${run.firstRefusal}`);
  if (run.closes > 0) notes.push(`${run.closes} connections were closed by the server`);
  if (run.doubled > 0) notes.push(`${run.doubled} delivered twice`);
  if (run.maxLateMs > maxLateMs)
    notes.push(`the sender was up to ${Math.round(run.maxLateMs)} ms late`);
  if (run.otherCores > maxOtherCores)
    notes.push(`other programs used ${run.otherCores.toFixed(2)} cores`);
  return {
    values: {
      deliveriesPerSecond: run.deliveriesPerSecond,
      serverMicros: server,
      redisMicros: redis,
      sumMicros: server + redis,
      p50Ms: run.p50Ms,
      p99Ms: run.p99Ms,
      lost: run.lost,
      peakMebibytes: run.peakBytes / mebibyte,
      clientCores: run.cores['clients'] ?? null,
    },
    notes,
  };
}

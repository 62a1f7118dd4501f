import type { Incidents } from '../fleet/fleet.ts';
import type { LoadResult } from '../fleet/steady-load.ts';
import { memoryOf } from '../processor-time.ts';
import type { System } from '../systems/system.ts';
import { busyMachineNotes, incidentNotes, membersOf, withFleet } from './run-fleet.ts';
import type { Effort, Measured, Work } from './work.ts';

export interface Load {
  readonly agents: number;
  readonly channels: number;
  readonly perSecond: number;
}

export const drainMs = 10_000;
/** If a send is later than this, the sender did not keep to its plan. */
const maxLateMs = 100;
const maxClientCores = 0.85;
const mebibyte = 1_048_576;

export function loadWork(name: string, load: Load): Work {
  const perSecond = load.perSecond.toLocaleString('en');
  const place = load.channels === 1 ? 'one channel' : `${load.channels} channels`;
  return {
    name,
    description: `${load.agents} agents in ${place}, ${perSecond} messages/s; processor time of server and Redis`,
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
    run: (system, effort) => runLoad(system, load, effort),
  };
}

function runLoad(system: System, load: Load, effort: Effort): Promise<Measured> {
  const { warmUpMs, durationMs, contentBytes, signal } = effort;
  const members = membersOf(load.agents, load.channels);
  return withFleet(system, members, { readsFrames: false, signal }, async (fleet, { pids }) => {
    const { perSecond } = load;
    const plan = {
      perSecond,
      warmUpMs,
      durationMs,
      contentBytes,
      drainMs,
      pids: { servers: [pids.server], redis: pids.redis },
    };
    const result = await fleet.runLoad(plan);
    const { serverMicros, redisMicros } = result;
    return {
      values: {
        ...result,
        sumMicros: serverMicros + redisMicros,
        peakMebibytes: memoryOf(pids.server).peakBytes / mebibyte,
      },
      notes: notesOf(result, await fleet.incidents()),
    };
  });
}

function notesOf(run: LoadResult, incidents: Incidents): string[] {
  const notes = incidentNotes(incidents);
  if (run.doubled > 0) notes.push(`${run.doubled} delivered twice`);
  if (run.maxLateMs > maxLateMs)
    notes.push(`the sender was up to ${Math.round(run.maxLateMs)} ms late`);
  if (run.clientCores > maxClientCores)
    notes.push(`the clients used ${run.clientCores.toFixed(2)} cores, and may have been the limit`);
  return [...notes, ...busyMachineNotes(run.otherCores)];
}

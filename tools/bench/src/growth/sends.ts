import type { Fleet } from '../compare/fleet/fleet.ts';
import type { RunningSystem } from '../compare/systems/system.ts';
import { drainMs } from '../compare/works/load.ts';
import { busyMachineNotes, incidentNotes } from '../compare/works/run-fleet.ts';
import type { Column, Effort, Measured } from '../compare/works/work.ts';

const mebibyte = 1_048_576;

export const sendColumns: readonly Column[] = [
  { key: 'sumMicros', title: 'µs a message', digits: 0 },
  { key: 'deliveryMicros', title: 'µs a delivery', digits: 1 },
  { key: 'p50Ms', title: 'p50 ms', digits: 1 },
  { key: 'p99Ms', title: 'p99 ms', digits: 1 },
  { key: 'lost', title: 'lost', digits: 0 },
];

export async function measureSends(
  fleet: Fleet,
  hubs: readonly RunningSystem[],
  perSecond: number,
  { warmUpMs, durationMs, contentBytes }: Effort,
): Promise<Measured> {
  const servers = hubs.map(({ pids }) => pids.server);
  const pids = { servers, redis: hubs[0]?.pids.redis ?? 0 };
  const plan = { perSecond, warmUpMs, durationMs, contentBytes, drainMs, pids };
  const result = await fleet.runLoad(plan);
  const deliveryMicros = result.serverMicros + result.redisMicros;
  return {
    values: {
      ...result,
      deliveryMicros,
      sumMicros: (deliveryMicros * result.deliveriesPerSecond) / perSecond,
    },
    notes: [...incidentNotes(await fleet.incidents()), ...busyMachineNotes(result.otherCores)],
  };
}

export { mebibyte };

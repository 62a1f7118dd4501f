import { startRedis } from '@openclaw/test-support';
import { startFleet } from '../fleet/fleet-proxy.ts';
import type { Fleet, Incidents } from '../fleet/fleet.ts';
import type { Membership, RunningSystem, System } from '../systems/system.ts';

/**
 * Starts the system with a new Redis and the clients, and calls `work`. Stops everything at the end, even if `work`
 * rejects.
 */
export async function withFleet<T>(
  system: System,
  members: readonly Membership[],
  { readsFrames, signal }: { readonly readsFrames: boolean; readonly signal: AbortSignal },
  work: (fleet: Fleet, running: RunningSystem) => Promise<T>,
): Promise<T> {
  await using redis = await startRedis();
  await using running = await system.start(redis);
  await system.prepare(running, members);
  const { dialect } = system;
  const setup = { dialect, ports: [running.port], members, readsFrames };
  await using fleet = await startFleet(setup, signal);
  await fleet.connect();
  return await work(fleet, running);
}

export function membersOf(agents: number, channels: number): Membership[] {
  return Array.from({ length: agents }, (_, index) => ({
    agentId: `agent-${index}`,
    channelIds: [`bench-${index % channels}`],
  }));
}

export function incidentNotes({ refused, firstRefusal, closes }: Incidents): string[] {
  const notes = [];
  if (refused > 0) notes.push(`${refused} refused, the first: ${firstRefusal}`);
  if (closes > 0) notes.push(`${closes} connections were closed by the server`);
  return notes;
}

/** If other programs use more cores than this, a run is not comparable. */
const maxOtherCores = 0.15;

export function busyMachineNotes(otherCores: number): string[] {
  return otherCores > maxOtherCores ? [`other programs used ${otherCores.toFixed(2)} cores`] : [];
}

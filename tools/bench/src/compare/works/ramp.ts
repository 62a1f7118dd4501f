import type { Fleet } from '../fleet/fleet.ts';
import type { LoadPlan, LoadResult } from '../fleet/steady-load.ts';
import { drainMs, type Load } from './load.ts';
import { busyMachineNotes, membersOf, withFleet } from './run-fleet.ts';
import type { Effort, Work } from './work.ts';

const maxP99Ms = 50;
/** If less than this share of the due deliveries arrives, a queue is growing. */
const minDeliveredShare = 0.97;
const growth = 1.5;
const bisections = 3;
const maxSteps = 14;
/** The first step warms up the code and pools, so for later steps this warm-up is long enough. */
const maxWarmUpMs = 1_000;

export function rampWork(name: string, shape: Load): Work {
  const place = shape.channels === 1 ? 'one channel' : `${shape.channels} channels`;
  return {
    name,
    description: `${shape.agents} agents in ${place}: the highest rate with p99 below ${maxP99Ms} ms and nothing lost, from ${shape.perSecond.toLocaleString('en')} messages/s on, with a precision of 5%`,
    columns: [
      { key: 'heldPerSecond', title: 'messages/s held', digits: 0 },
      { key: 'heldDeliveries', title: 'deliveries/s', digits: 0 },
      { key: 'p50Ms', title: 'p50 ms there', digits: 1 },
      { key: 'p99Ms', title: 'p99 ms there', digits: 1 },
      { key: 'sumMicros', title: 'µs a delivery there', digits: 2 },
      { key: 'clientCores', title: 'clients’ cores there', digits: 2 },
      { key: 'failedPerSecond', title: 'not held', digits: 0 },
      { key: 'failedP99Ms', title: 'p99 ms there', digits: 1 },
    ],
    comparedBy: 'heldPerSecond',
    run: (system, effort) =>
      withFleet(
        system,
        membersOf(shape.agents, shape.channels),
        { readsFrames: false, signal: effort.signal },
        async (fleet, { pids }) => {
          const { held, failed } = await findLimit(
            fleet,
            { servers: [pids.server], redis: pids.redis },
            shape.perSecond,
            effort,
          );
          return {
            values: {
              heldPerSecond: held?.perSecond ?? 0,
              heldDeliveries: held?.result.deliveriesPerSecond ?? null,
              p50Ms: held?.result.p50Ms ?? null,
              p99Ms: held?.result.p99Ms ?? null,
              sumMicros: held ? held.result.serverMicros + held.result.redisMicros : null,
              clientCores: held?.result.clientCores ?? null,
              failedPerSecond: failed?.perSecond ?? null,
              failedP99Ms: failed?.result.p99Ms ?? null,
            },
            notes: notesOf(held, failed),
          };
        },
      ),
  };
}

function notesOf(held: Step | null, failed: Step | null): string[] {
  const otherCores = Math.max(held?.result.otherCores ?? 0, failed?.result.otherCores ?? 0);
  const notes = busyMachineNotes(otherCores);
  return failed === null ? [...notes, `every rate up to ${held?.perSecond} was held`] : notes;
}

interface Step {
  readonly perSecond: number;
  readonly result: LoadResult;
}

/**
 * Raises the rate until a rate fails twice, or lowers the rate until a rate passes. Then bisects between the highest
 * rate that passed and the lowest rate that failed.
 */
async function findLimit(
  fleet: Fleet,
  pids: LoadPlan['pids'],
  firstPerSecond: number,
  effort: Effort,
): Promise<{ readonly held: Step | null; readonly failed: Step | null }> {
  const { contentBytes } = effort;
  const durationMs = effort.durationMs / 2;
  let { warmUpMs } = effort;
  const measure = async (perSecond: number): Promise<Step> => {
    const plan = { perSecond, warmUpMs, durationMs, contentBytes, drainMs, pids };
    const result = await fleet.runLoad(plan);
    warmUpMs = Math.min(maxWarmUpMs, effort.warmUpMs);
    return { perSecond, result };
  };
  let held: Step | null = null;
  let failed: Step | null = null;
  let bisected = 0;
  let perSecond = firstPerSecond;
  for (let step = 0; step < maxSteps && bisected <= bisections; step += 1) {
    let tried = await measure(perSecond);
    // A failed rate is measured again, in case the machine paused.
    if (!isHeld(tried.result)) tried = await measure(perSecond);
    if (isHeld(tried.result)) held = tried;
    else failed = tried;
    if (failed === null) perSecond = Math.round(perSecond * growth);
    else if (held === null) perSecond = Math.round(perSecond / 2);
    else {
      perSecond = Math.round((held.perSecond + failed.perSecond) / 2);
      bisected += 1;
    }
  }
  return { held, failed };
}

function isHeld({ p99Ms, lost, deliveriesPerSecond, duePerSecond }: LoadResult): boolean {
  return p99Ms < maxP99Ms && lost === 0 && deliveriesPerSecond >= minDeliveredShare * duePerSecond;
}

import { faultKind, type FaultName } from './faults.ts';
import type { Random } from './random.ts';

/** One fault of the schedule. */
export interface ScheduledFault {
  readonly kind: FaultName;
  /** The hub that it strikes, where it is one hub's. */
  readonly hub: number;
  readonly holdMs: number;
  /** How long the system is left whole before it. */
  readonly pauseMs: number;
}

/** How long the system is left whole between two faults. */
export interface SchedulePace {
  readonly pauseMs: readonly [min: number, max: number];
}

/**
 * The faults of a seed, for ever: the kinds in rounds, each round in another order, so that a run that is long enough
 * has them all. The same seed, kinds and hubs give the same schedule.
 */
export function* createSchedule(
  random: Random,
  kinds: readonly FaultName[],
  hubs: number,
  { pauseMs }: SchedulePace,
): Generator<ScheduledFault, never> {
  if (kinds.length === 0) throw new Error('a schedule needs a kind of fault');
  for (;;) {
    for (const kind of random.shuffle(kinds)) {
      yield {
        kind,
        hub: random.between(0, hubs - 1),
        holdMs: random.between(...faultKind(kind).holdMs),
        pauseMs: random.between(...pauseMs),
      };
    }
  }
}

/** As people read it. */
export function formatFault({ kind, hub, holdMs }: ScheduledFault): string {
  const where = faultKind(kind).isOfOneHub ? ` hub-${hub + 1}` : '';
  return `${kind}${where}${holdMs > 0 ? ` for ${(holdMs / 1000).toFixed(1)} s` : ''}`;
}

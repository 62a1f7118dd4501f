import { faultKind, partOf, type FaultName } from './faults.ts';
import type { Random } from './random.ts';

export interface ScheduledFault {
  readonly kind: FaultName;
  readonly hub: number;
  readonly holdMs: number;
  /** The pause before the fault. For an overlapping fault, the pause begins together with the other fault. */
  readonly pauseMs: number;
  /** Begins during this fault, and hits another part. */
  readonly overlapping?: ScheduledFault;
}

export interface ScheduleOptions {
  readonly pauseMs: readonly [min: number, max: number];
  /** Lets two faults of different parts overlap, if possible. @default false */
  readonly overlaps?: boolean;
}

/**
 * Yields every kind once in each round, in random order, without end. The same seed, kinds and hubs give the same
 * schedule.
 */
export function* createSchedule(
  random: Random,
  kinds: readonly FaultName[],
  hubs: number,
  { pauseMs, overlaps = false }: ScheduleOptions,
): Generator<ScheduledFault, never> {
  if (kinds.length === 0) throw new Error('a schedule needs a kind of fault');
  const draw = (kind: FaultName): ScheduledFault => ({
    kind,
    hub: random.between(0, hubs - 1),
    holdMs: random.between(...faultKind(kind).holdMs),
    pauseMs: random.between(...pauseMs),
  });
  for (;;) {
    for (const kind of random.shuffle(kinds)) {
      const first = draw(kind);
      const others = kinds.filter((other) => partOf(other) !== partOf(kind));
      if (!overlaps || others.length === 0) {
        yield first;
        continue;
      }
      const second = draw(random.pick(others));
      const delayMs = random.between(0, Math.max(500, first.holdMs));
      yield { ...first, overlapping: { ...second, pauseMs: delayMs } };
    }
  }
}

export function formatFault({ kind, hub, holdMs, overlapping: together }: ScheduledFault): string {
  const where = faultKind(kind).hitsOneHub ? ` hub-${hub + 1}` : '';
  const lasts = holdMs > 0 ? ` for ${(holdMs / 1000).toFixed(1)} s` : '';
  const also = together ? ` and ${formatFault(together)}` : '';
  return `${kind}${where}${lasts}${also}`;
}

import type { Operations } from '@openclaw/protocol';

/** A seen hub stays until it is dismissed, because a dead hub leaves the list of the database. */
export interface SeenHub {
  readonly hubId: string;
  readonly lastBeatMs: number;
  readonly isThis: boolean;
  readonly isDismissed: boolean;
}

const hubsMax = 100;
/** A hub counts as alive for this time after a heartbeat. */
export const aliveWithinMs = 5_000;

/** A dismissed hub returns when it is alive again. */
export function withSnapshot(
  seen: readonly SeenHub[],
  { hubs, timestamp }: Pick<Operations, 'hubs' | 'timestamp'>,
): readonly SeenHub[] {
  const known = new Map(seen.map((hub) => [hub.hubId, { ...hub, isThis: false }]));
  for (const { hubId, lastBeatAgoMs, isThis } of hubs) {
    const isDismissed = (known.get(hubId)?.isDismissed ?? false) && lastBeatAgoMs >= aliveWithinMs;
    known.set(hubId, { hubId, lastBeatMs: timestamp - lastBeatAgoMs, isThis, isDismissed });
  }
  return [...known.values()].sort((a, b) => a.lastBeatMs - b.lastBeatMs).slice(-hubsMax);
}

export function withoutHub(seen: readonly SeenHub[], hubId: string): readonly SeenHub[] {
  return seen.map((hub) => (hub.hubId === hubId ? { ...hub, isDismissed: true } : hub));
}

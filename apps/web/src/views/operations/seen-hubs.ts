import type { Operations } from '@openclaw/protocol';

/** A hub that was seen once. It stays until it is dismissed, because a hub that died leaves the hub's own list. */
export interface SeenHub {
  readonly hubId: string;
  readonly lastBeatMs: number;
  readonly isThis: boolean;
  readonly isDismissed: boolean;
}

const hubsMax = 100;
/** A hub without a heartbeat for this long is dead. */
export const aliveWithinMs = 5_000;

/** Adds what a snapshot says about the hubs. A dismissed hub returns when it is alive again. */
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

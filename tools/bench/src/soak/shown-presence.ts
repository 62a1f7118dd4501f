export interface Shown {
  readonly subscriber: string;
  readonly channelId: string;
  readonly agentId: string;
  readonly isOnline: boolean;
  /** The subscriber has seen this status since this time, which is never before its current connection. */
  readonly sinceMs: number;
  /** Excludes this status from {@link ShownPresence.all}. */
  markReported(): void;
}

export interface ShownPresence {
  /** Call it when the subscriber connected. Statuses that the subscriber saw before no longer count. */
  begins(subscriber: string): void;
  ends(subscriber: string): void;
  /**
   * Records a status from an event, or from a list that was requested at `askedMs`. A list does not replace a status
   * that came after `askedMs`, because that status is newer.
   */
  show(
    subscriber: string,
    channelId: string,
    agentId: string,
    isOnline: boolean,
    askedMs?: number,
  ): void;
  all(): Iterable<Shown>;
}

interface Entry {
  isOnline: boolean;
  sinceMs: number;
  isSettled: boolean;
}

export function createShownPresence(now: () => number): ShownPresence {
  const views = new Map<string, { sinceMs: number; entries: Map<string, Entry> }>();
  return {
    begins: (subscriber) => void views.set(subscriber, { sinceMs: now(), entries: new Map() }),
    ends: (subscriber) => void views.delete(subscriber),
    show(subscriber, channelId, agentId, isOnline, askedMs = Infinity) {
      const entries = views.get(subscriber)?.entries;
      const key = `${channelId} ${agentId}`;
      const before = entries?.get(key);
      if (before && (before.isOnline === isOnline || before.sinceMs >= askedMs)) return;
      entries?.set(key, { isOnline, sinceMs: now(), isSettled: false });
    },
    *all() {
      for (const [subscriber, view] of views) {
        for (const [key, entry] of view.entries) {
          if (entry.isSettled) continue;
          const [channelId = '', agentId = ''] = key.split(' ');
          const sinceMs = Math.max(entry.sinceMs, view.sinceMs);
          const markReported = () => void (entry.isSettled = true);
          yield {
            subscriber,
            channelId,
            agentId,
            isOnline: entry.isOnline,
            sinceMs,
            markReported: markReported,
          };
        }
      }
    },
  };
}

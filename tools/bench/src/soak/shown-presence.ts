/** How long a subscriber has been shown the same of an agent. */
export interface Shown {
  readonly subscriber: string;
  readonly channelId: string;
  readonly agentId: string;
  readonly isOnline: boolean;
  /** Since when, counted from the subscriber's connection at the earliest. */
  readonly sinceMs: number;
  /** It is not told again. */
  markReported(): void;
}

/** What each subscriber is shown of each agent. */
export interface ShownPresence {
  /** A new connection of the subscriber: what it was shown before counts no more. */
  begins(subscriber: string): void;
  ends(subscriber: string): void;
  /** An event, or a page that was asked for at `askedMs`: what came since is newer than the page. */
  show(
    subscriber: string,
    channelId: string,
    agentId: string,
    isOnline: boolean,
    askedMs?: number,
  ): void;
  /** All that is not settled. */
  all(): Iterable<Shown>;
}

interface Entry {
  isOnline: boolean;
  sinceMs: number;
  isSettled: boolean;
}

/** Creates it empty. */
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

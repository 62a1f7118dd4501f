import type { PresenceChange } from '../lease-store/lease-store.ts';

/** Further records are dropped. Hubs that compare rosters still find out that the agents are offline. */
const pendingMax = 100_000;
const sliceMax = 100;

export interface PendingOfflineDeps {
  /** Rejects while Redis is away or refuses writes. */
  readonly isPresent: (channelId: string, agentId: string) => Promise<boolean>;
  /** `degraded`: the record was not checked. */
  readonly announce: (change: PresenceChange, degraded: boolean) => void;
  readonly monotonic: () => number;
}

interface Pending {
  readonly change: PresenceChange;
  readonly sinceMs: number;
  dueMs: number;
}

const keyOf = (channelId: string, agentId: string) => `${channelId}:${agentId}`;

/**
 * An offline record may be false: the agent may be connected to a process that has not restored its lease yet. The
 * record waits for `waitMs`, and is announced if the agent has no lease then, or if Redis does not answer for
 * `maxWaitMs`.
 */
export function createPendingOffline(
  { isPresent, announce, monotonic }: PendingOfflineDeps,
  { waitMs, maxWaitMs }: { readonly waitMs: number; readonly maxWaitMs: number },
) {
  const records = new Map<string, Pending>();
  let deciding: Promise<void> | undefined;

  async function decideOne(key: string, pending: Pending): Promise<void> {
    const { channelId, record } = pending.change;
    // During the check, the agent may join and leave again, which replaces the record.
    const isCurrent = () => records.get(key) === pending;
    try {
      const isBack = await isPresent(channelId, record.agentId);
      if (!isCurrent()) return;
      records.delete(key);
      if (!isBack) announce(pending.change, false);
    } catch {
      if (!isCurrent()) return;
      pending.dueMs = monotonic() + waitMs;
      if (monotonic() - pending.sinceMs < maxWaitMs) return;
      records.delete(key);
      announce(pending.change, true);
    }
  }

  async function decideUntil(untilMs: number): Promise<void> {
    const due = [...records].filter(([, { dueMs }]) => dueMs <= untilMs);
    for (let at = 0; at < due.length; at += sliceMax) {
      await Promise.all(due.slice(at, at + sliceMax).map((one) => decideOne(...one)));
    }
  }

  return {
    get size() {
      return records.size;
    },
    add(change: PresenceChange): void {
      if (records.size >= pendingMax) return;
      const key = keyOf(change.channelId, change.record.agentId);
      const sinceMs = records.get(key)?.sinceMs ?? monotonic();
      records.set(key, { change, sinceMs, dueMs: monotonic() + waitMs });
    },
    cancel(channelId: string, agentId: string): void {
      if (records.size > 0) records.delete(keyOf(channelId, agentId));
    },
    /** Call it when Redis is back. Records wait again, but at most `maxWaitMs` in total. */
    restartWait(): void {
      for (const pending of records.values()) {
        pending.dueMs = Math.min(monotonic() + waitMs, pending.sinceMs + maxWaitMs);
      }
    },
    /** Call it periodically. Never rejects. */
    async decideDue(): Promise<void> {
      if (records.size === 0) return;
      deciding ??= decideUntil(monotonic()).finally(() => (deciding = undefined));
      await deciding;
    },
    /** Decides all records now, and drops records that cannot be checked. */
    async close(): Promise<void> {
      await deciding;
      await decideUntil(Infinity);
      records.clear();
    },
  };
}

export type PendingOffline = ReturnType<typeof createPendingOffline>;

import type { PresenceChange } from './presence.ts';

/** The most offline records held; a further one is left to whoever compares rosters. */
const heldMax = 100_000;
/** Asked about at a time. */
const sliceMax = 100;

/** What {@link createHeldOfflines} works with. */
export interface HeldOfflinesDeps {
  /** Whether anybody holds the agent. Rejects when that cannot be known now. */
  readonly isHeld: (channelId: string, agentId: string) => Promise<boolean>;
  /** `degraded`: nobody could be asked. */
  readonly announce: (change: PresenceChange, degraded: boolean) => void;
  readonly monotonic: () => number;
}

interface Held {
  readonly change: PresenceChange;
  readonly sinceMs: number;
  dueMs: number;
}

const nameOf = (channelId: string, agentId: string) => `${channelId}:${agentId}`;

/**
 * Offline records that are not to be believed yet. While Redis is away a process does not know whether another one has the
 * agent too; and a leave that Redis is told late, after an outage, ends the last lease that Redis knows of, but the agent
 * may be with a process that has not come back to Redis yet. So the record waits `holdMs` for that process, and is told
 * only if nobody holds the agent then. If Redis cannot be asked for `aloneMs`, it is told as what this process knows.
 */
export function createHeldOfflines(
  { isHeld, announce, monotonic }: HeldOfflinesDeps,
  { holdMs, aloneMs }: { readonly holdMs: number; readonly aloneMs: number },
) {
  const held = new Map<string, Held>();
  let settling: Promise<void> | undefined;

  async function settleOne(name: string, one: Held): Promise<void> {
    const { channelId, record } = one.change;
    try {
      const isBack = await isHeld(channelId, record.agentId);
      // The agent came, or left anew, while it was asked about.
      if (held.get(name) !== one) return;
      held.delete(name);
      if (!isBack) announce(one.change, false);
    } catch {
      if (held.get(name) !== one) return;
      one.dueMs = monotonic() + holdMs;
      if (monotonic() - one.sinceMs < aloneMs) return;
      held.delete(name);
      announce(one.change, true);
    }
  }

  async function settle(untilMs: number): Promise<void> {
    const due = [...held].filter(([, { dueMs }]) => dueMs <= untilMs);
    for (let at = 0; at < due.length; at += sliceMax) {
      await Promise.all(due.slice(at, at + sliceMax).map((one) => settleOne(...one)));
    }
  }

  return {
    get size() {
      return held.size;
    },
    hold(change: PresenceChange): void {
      if (held.size >= heldMax) return;
      const name = nameOf(change.channelId, change.record.agentId);
      const sinceMs = held.get(name)?.sinceMs ?? monotonic();
      held.set(name, { change, sinceMs, dueMs: monotonic() + holdMs });
    },
    /** The agent is here, so it has not gone. */
    drop(channelId: string, agentId: string): void {
      if (held.size > 0) held.delete(nameOf(channelId, agentId));
    },
    /** Redis is back once more: whoever was away has all the time again, but not for ever from a Redis that comes and goes. */
    wait(): void {
      for (const one of held.values()) {
        one.dueMs = Math.min(monotonic() + holdMs, one.sinceMs + aloneMs);
      }
    },
    /** Tells of those whose time is over. Never rejects. To be called now and then. */
    async look(): Promise<void> {
      if (held.size === 0) return;
      settling ??= settle(monotonic()).finally(() => (settling = undefined));
      await settling;
    },
    /**
     * Tells at once of all whom nobody holds: their leases are gone, so after this process nobody would. Of whom that
     * cannot be known nothing is told.
     */
    async close(): Promise<void> {
      await settling;
      await settle(Infinity);
      held.clear();
    },
  };
}

/** What {@link createHeldOfflines} makes. */
export type HeldOfflines = ReturnType<typeof createHeldOfflines>;

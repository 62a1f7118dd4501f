import type { PresenceRecord } from '@openclaw/presence';
import { limits } from '@openclaw/protocol';

/**
 * How long an offline record is remembered. Ephemeral envelopes older than 10 s are dropped before they reach this
 * guard.
 */
const offlineMs = 15_000;
/** The most offline records that are remembered; the oldest are removed first. */
const offlineMax = limits.presencePush;

/**
 * Recognizes presence events that are older than the last one delivered, by `lastSeen`: hubs take turns to decide a
 * change, but may publish in a different order. Records of the same millisecond count in the order of arrival.
 * `lastSeen` is Redis' time, so it cannot be compared across two Redis servers.
 */
export class LastSeenGuard {
  readonly #present = new Map<string, number>();
  /** In the order in which the agents went offline. */
  readonly #offline = new Map<string, { readonly lastSeen: number; readonly untilMs: number }>();
  readonly #clock: () => number;

  /** @param clock monotonic milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  isOutdated({ agentId, lastSeen }: PresenceRecord): boolean {
    const latest = this.#present.get(agentId) ?? this.#offline.get(agentId)?.lastSeen;
    return latest !== undefined && lastSeen < latest;
  }

  /** Remembered until the agent is recorded offline. The caller limits the number of agents that it records. */
  recordPresent({ agentId, lastSeen }: PresenceRecord): void {
    this.#offline.delete(agentId);
    this.#present.set(agentId, lastSeen);
  }

  recordOffline({ agentId, lastSeen }: PresenceRecord): void {
    const nowMs = this.#clock();
    this.#present.delete(agentId);
    this.#offline.delete(agentId);
    this.#offline.set(agentId, { lastSeen, untilMs: nowMs + offlineMs });
    for (const [oldest, { untilMs }] of this.#offline) {
      if (this.#offline.size <= offlineMax && untilMs > nowMs) return;
      this.#offline.delete(oldest);
    }
  }

  /** Call it when Redis' clock may have changed. The order of arrival decides until new times are recorded. */
  clear(): void {
    this.#present.clear();
    this.#offline.clear();
  }
}

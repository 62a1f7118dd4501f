import type { PresenceRecord } from '@openclaw/presence';
import { limits } from '@openclaw/protocol';

/** How long an end is remembered: an ephemeral envelope that is 10 s old passes nobody's filter. */
const endedMs = 15_000;
/** The most ends remembered; the oldest go first. */
const endedMax = limits.presencePush;

/**
 * When the latest word on each agent was decided, as its `lastSeen` says, so that an earlier one that comes later is
 * known as such: hubs decide one after the other, but publish as they please. Who was decided at the same millisecond is
 * taken in the order of arrival. The times are Redis' and compare with none of another clock.
 */
export class ToldTimes {
  readonly #present = new Map<string, number>();
  /** The longest ended first. */
  readonly #ended = new Map<string, { readonly lastSeen: number; readonly untilMs: number }>();
  readonly #clock: () => number;

  /** @param clock milliseconds that run evenly */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  isOutdated({ agentId, lastSeen }: PresenceRecord): boolean {
    const toldMs = this.#present.get(agentId) ?? this.#ended.get(agentId)?.lastSeen;
    return toldMs !== undefined && lastSeen < toldMs;
  }

  /** To be called for those alone whom the caller bounds: they are remembered until they end or are forgotten. */
  present({ agentId, lastSeen }: PresenceRecord): void {
    this.#ended.delete(agentId);
    this.#present.set(agentId, lastSeen);
  }

  ended({ agentId, lastSeen }: PresenceRecord): void {
    const nowMs = this.#clock();
    this.#present.delete(agentId);
    this.#ended.delete(agentId);
    this.#ended.set(agentId, { lastSeen, untilMs: nowMs + endedMs });
    for (const [oldest, { untilMs }] of this.#ended) {
      if (this.#ended.size <= endedMax && untilMs > nowMs) return;
      this.#ended.delete(oldest);
    }
  }

  /** The clock may be another from now on: order of arrival decides until new times are known. */
  forget(): void {
    this.#present.clear();
    this.#ended.clear();
  }
}

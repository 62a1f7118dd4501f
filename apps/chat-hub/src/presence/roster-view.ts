import { presenceDifference, type PresenceRecord } from '@openclaw/presence';
import { limits } from '@openclaw/protocol';

export interface ComparisonRules {
  readonly nowMs: number;
  /** An agent counts as offline when it has been missing for this long and in at least two reads of the roster. */
  readonly confirmMs: number;
  /** Until this time no missing agent is reported offline, because hubs may not have restored their leases yet. */
  readonly offlineFromMs: number;
  /** Maps each agent to the end of its latest lease in the roster, on the clock of `nowMs`. */
  readonly leaseEndsMs?: ReadonlyMap<string, number>;
  /**
   * True after a wipe of Redis, once all hubs can write to it. An agent that is missing in two reads is then offline as
   * soon as its lease has ended.
   */
  readonly canAllHubsWrite?: boolean;
  /** An agent with a socket on this hub is present, even if it is not in the roster. */
  readonly isConnectedHere: (agentId: string) => boolean;
}

interface MissingAgent {
  readonly firstMs: number;
  /**
   * The time of the first read without the agent since the last failed read. Infinity if no read has succeeded since
   * then.
   */
  sinceMs: number;
}

type OfflineRules = Pick<ComparisonRules, 'confirmMs' | 'offlineFromMs' | 'canAllHubsWrite'>;

const recheckMs = 250;

/** An agent that is missing for this many lease times is offline, whatever the {@link ComparisonRules} say. */
const maxMissingLeases = 2;
/**
 * An agent's offline time is kept for this long. After that no outdated event arrives, because hubs drop ephemeral
 * envelopes after 10 s.
 */
const offlineMs = 15_000;
const offlineMax = limits.presencePush;

/**
 * The presence of one channel as this hub's sockets know it. Compares it with the roster, and returns the changes
 * whose events were lost. An event that arrives during a read of the roster overrules the read.
 */
export class RosterView {
  /**
   * True when more than {@link limits.presencePush} agents are present over all hubs. Presence is then listed, but not
   * pushed.
   */
  isOverPushLimit = false;
  /** Every socket got an event about these agents, or could list them when it subscribed. */
  readonly #reported = new Map<string, PresenceRecord>();
  /** At least one socket knows these agents only from a list. */
  readonly #listed = new Map<string, PresenceRecord>();
  readonly #missing = new Map<string, MissingAgent>();
  readonly #leaseEndsMs = new Map<string, number>();
  /** These agents had an event during the current read; null between reads. */
  #changedDuringRead: Set<string> | null = null;
  /**
   * False until the first read has ended. Agents of the first read are not announced, because sockets list them
   * themselves.
   */
  #wasRead = false;

  readonly #lastSeen: LastSeenGuard;
  readonly #clock: () => number;
  /** With the default of Infinity, the end of a lease makes no agent offline. */
  readonly #leaseMs: number;

  constructor(clock: () => number = () => performance.now(), leaseMs = Infinity) {
    this.#lastSeen = new LastSeenGuard(clock);
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /** Returns the records to send to the sockets, without outdated ones. */
  applyEvent<R extends PresenceRecord>(records: readonly R[]): R[] {
    const news = records.filter((record) => {
      if (this.#lastSeen.isOutdated(record)) return false;
      this.#changedDuringRead?.add(record.agentId);
      this.#report(record);
      if (this.#reported.has(record.agentId)) {
        this.#leaseEndsMs.set(record.agentId, this.#clock() + this.#leaseMs);
      }
      return true;
    });
    // A missing agent is no longer present, although it is not reported offline yet.
    const presentCount = this.#reported.size - this.#missing.size;
    if (presentCount > limits.presencePush) this.isOverPushLimit = true;
    return news;
  }

  /** True if the sockets already have a later decision about the agent. */
  isOutdated(record: PresenceRecord): boolean {
    return this.#lastSeen.isOutdated(record);
  }

  /** Call it when Redis' clock may have changed. */
  forgetLastSeen(): void {
    this.#lastSeen.clear();
  }

  addListed(records: readonly PresenceRecord[]): void {
    for (const record of records) {
      if (this.#listed.size >= limits.presencePush) return;
      if (!this.#reported.has(record.agentId)) this.#listed.set(record.agentId, record);
    }
  }

  beginRead(): void {
    this.#changedDuringRead = new Set();
  }

  /** Call it when a read failed. `confirmMs` then counts from the next read. */
  failRead(): void {
    this.#changedDuringRead = null;
    this.#wasRead = true;
    for (const missing of this.#missing.values()) missing.sinceMs = Infinity;
  }

  /** `roster` is null past the push limit. Returns the changes to send to the sockets. */
  compare(roster: readonly PresenceRecord[] | null, rules: ComparisonRules): PresenceRecord[] {
    const changedDuringRead = this.#changedDuringRead ?? new Set();
    this.#changedDuringRead = null;
    this.isOverPushLimit = roster === null;
    if (roster === null) return [];
    // A socket may have listed agents before the first read, and its list may be outdated. Then the changes are sent.
    const isNews = this.#wasRead || this.#listed.size > 0;
    this.#wasRead = true;
    const known = new Map([...this.#listed, ...this.#reported]);
    for (const { agentId } of roster) this.#missing.delete(agentId);
    const arrived = presenceDifference(this.#reported.values(), roster).filter(
      ({ status }) => status !== 'offline',
    );
    const gone = presenceDifference(known.values(), roster).filter(
      ({ status, agentId }) => status === 'offline' && this.#isGone(agentId, rules),
    );
    const found = [...arrived, ...gone].filter(({ agentId }) => !changedDuringRead.has(agentId));
    for (const record of found) this.#report(record);
    for (const [agentId, endsMs] of rules.leaseEndsMs ?? []) {
      if (this.#reported.has(agentId)) this.#leaseEndsMs.set(agentId, endsMs);
    }
    return isNews ? found : [];
  }

  get hasMissing(): boolean {
    for (const { sinceMs } of this.#missing.values()) if (sinceMs < Infinity) return true;
    return false;
  }

  /** Returns the earliest time at which a missing agent can be reported offline; Infinity if none is missing. */
  nextDecisionMs(rules: OfflineRules): number {
    let firstMs = Infinity;
    for (const [agentId, missing] of this.#missing) {
      firstMs = Math.min(firstMs, this.#goneFromMs(agentId, missing, rules));
    }
    return firstMs;
  }

  #goneFromMs(agentId: string, { firstMs, sinceMs }: MissingAgent, rules: OfflineRules): number {
    const { confirmMs, offlineFromMs, canAllHubsWrite } = rules;
    const leaseEndMs = canAllHubsWrite ? (this.#leaseEndsMs.get(agentId) ?? Infinity) : Infinity;
    const expiredMs = Math.max(leaseEndMs, sinceMs + recheckMs);
    const goneMs = Math.max(offlineFromMs, Math.min(expiredMs, sinceMs + confirmMs));
    return Math.min(goneMs, firstMs + maxMissingLeases * this.#leaseMs);
  }

  #isGone(agentId: string, rules: ComparisonRules): boolean {
    if (rules.isConnectedHere(agentId)) {
      this.#missing.delete(agentId);
      return false;
    }
    const { nowMs } = rules;
    const missing = this.#missing.get(agentId);
    if (!missing) {
      this.#missing.set(agentId, { firstMs: nowMs, sinceMs: nowMs });
      return false;
    }
    missing.sinceMs = Math.min(missing.sinceMs, nowMs);
    return nowMs >= this.#goneFromMs(agentId, missing, rules);
  }

  #report(record: PresenceRecord): void {
    const { agentId, status } = record;
    this.#missing.delete(agentId);
    this.#listed.delete(agentId);
    // Past the push limit, newly present agents are neither pushed nor tracked.
    if (this.isOverPushLimit && !this.#reported.has(agentId)) return;
    if (status === 'offline') {
      this.#reported.delete(agentId);
      this.#leaseEndsMs.delete(agentId);
      this.#lastSeen.recordOffline(record);
    } else {
      this.#reported.set(agentId, record);
      this.#lastSeen.recordPresent(record);
    }
  }
}

/**
 * Recognizes outdated presence events by `lastSeen`, because hubs may not publish their decisions in the order in which
 * they made them. If two records have the same time, the record that arrived later counts as newer. `lastSeen` is
 * Redis' time, so times of two Redis servers cannot be compared.
 */
class LastSeenGuard {
  readonly #present = new Map<string, number>();
  readonly #offline = new Map<string, { readonly lastSeen: number; readonly untilMs: number }>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  isOutdated({ agentId, lastSeen }: PresenceRecord): boolean {
    const latest = this.#present.get(agentId) ?? this.#offline.get(agentId)?.lastSeen;
    return latest !== undefined && lastSeen < latest;
  }

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

  /** Afterwards, the order of arrival decides until new times are recorded. */
  clear(): void {
    this.#present.clear();
    this.#offline.clear();
  }
}

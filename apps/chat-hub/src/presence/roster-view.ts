import { presenceDifference, type PresenceRecord } from '@openclaw/presence';
import { limits } from '@openclaw/protocol';
import { ToldTimes } from './last-seen-guard.ts';

/** Under what circumstances a roster is taken for the truth. */
export interface RosterTrust {
  readonly nowMs: number;
  /** How long an agent must have been missing from the roster, by two readings at least, to be told offline. */
  readonly confirmMs: number;
  /** Before that somebody missing may be so for another reason than having gone, and is not told offline yet. */
  readonly trustFromMs: number;
  /** When the latest lease of each agent of the roster ends unless it is renewed, by the same clock as `nowMs`. */
  readonly heldUntilMs?: ReadonlyMap<string, number>;
  /**
   * True when every living hub has just written its leases again, as after a wipe. Then an agent is gone that is missing
   * in two readings, `recheckMs` apart, once the last lease seen of it has ended.
   */
  readonly isWhole?: boolean;
  /** Whether the agent is here, whatever the roster says. */
  readonly isHere: (agentId: string) => boolean;
}

/** How long an agent must be missing, at least, before it is reported offline at the end of its lease. */
const recheckMs = 250;

/**
 * Who is present in one channel as this hub's sockets were told, and what is to be told when the roster says otherwise,
 * because an event was lost on the way. Nothing is told on the strength of a reading that an event has passed.
 */
export class RosterView {
  /** Past {@link limits.presencePush} agents over all hubs: the channel's presence is listed, not pushed. */
  isCrowded = false;
  /** Present, as all sockets were told, or could read when they came. */
  readonly #told = new Map<string, PresenceRecord>();
  /** Present, as some socket has read from a list and no event has said. */
  readonly #listed = new Map<string, PresenceRecord>();
  /** Since when somebody known is missing from the roster. */
  readonly #missingSinceMs = new Map<string, number>();
  /** When the latest lease of each reported agent ends, as far as is known. */
  readonly #heldUntilMs = new Map<string, number>();
  /** Who was heard of since the reading began that is under way. */
  #heard: Set<string> | null = null;
  /** Whether a roster was asked for before, so that whatever is new in it is news to somebody. */
  #isKnown = false;

  readonly #times: ToldTimes;
  readonly #clock: () => number;
  readonly #leaseMs: number;

  /**
   * @param clock milliseconds that run evenly
   * @param leaseMs how long a lease lasts; without it nobody is reported offline at the end of a lease
   */
  constructor(clock: () => number = () => performance.now(), leaseMs = Infinity) {
    this.#times = new ToldTimes(clock);
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /** An event tells of these. Returns those to pass on to all sockets: what is older than what they know is not. */
  saw<R extends PresenceRecord>(records: readonly R[]): R[] {
    const news = records.filter((record) => {
      if (this.#times.isOutdated(record)) return false;
      this.#heard?.add(record.agentId);
      this.#tell(record);
      // The change was decided a moment ago, by a hub that holds a lease.
      if (this.#told.has(record.agentId)) {
        this.#heldUntilMs.set(record.agentId, this.#clock() + this.#leaseMs);
      }
      return true;
    });
    // Those found missing wait to be told offline, and are not present.
    if (this.#told.size - this.#missingSinceMs.size > limits.presencePush) this.isCrowded = true;
    return news;
  }

  /** Whether the sockets were told something that was decided later. Never of an agent of whom they are told nothing. */
  isOutdated(record: PresenceRecord): boolean {
    return this.#times.isOutdated(record);
  }

  /** The clock that times decisions may be another from now on. */
  forgetTimes(): void {
    this.#times.forget();
  }

  /** Some socket was answered a list with these. */
  listed(records: readonly PresenceRecord[]): void {
    for (const record of records) {
      if (this.#listed.size >= limits.presencePush) return;
      if (!this.#told.has(record.agentId)) this.#listed.set(record.agentId, record);
    }
  }

  /** From now on the roster is being read. */
  begin(): void {
    this.#heard = new Set();
  }

  /** It could not be read: who was missing was perhaps not, and whatever is read next is news to those who came by now. */
  fail(): void {
    this.#heard = null;
    this.#isKnown = true;
    this.#missingSinceMs.clear();
  }

  /** What was read; null stands for more agents than are pushed. Returns what all sockets have to be told. */
  compare(roster: readonly PresenceRecord[] | null, trust: RosterTrust): PresenceRecord[] {
    const heard = this.#heard ?? new Set();
    this.#heard = null;
    this.isCrowded = roster === null;
    if (roster === null) return [];
    // Who came before the first reading was there may have read an older roster.
    const isNews = this.#isKnown || this.#listed.size > 0;
    this.#isKnown = true;
    const known = new Map([...this.#listed, ...this.#told]);
    for (const { agentId } of roster) this.#missingSinceMs.delete(agentId);
    const found = [
      ...presenceDifference(this.#told.values(), roster).filter((one) => one.status !== 'offline'),
      ...presenceDifference(known.values(), roster).filter(
        (one) => one.status === 'offline' && this.#isGone(one.agentId, trust),
      ),
    ].filter(({ agentId }) => !heard.has(agentId));
    for (const record of found) this.#tell(record);
    for (const [agentId, untilMs] of trust.heldUntilMs ?? []) {
      if (this.#told.has(agentId)) this.#heldUntilMs.set(agentId, untilMs);
    }
    return isNews ? found : [];
  }

  /** True when an agent that was reported present was missing at the last reading. */
  get hasMissing(): boolean {
    return this.#missingSinceMs.size > 0;
  }

  /** When the first missing agent could be reported offline; Infinity when nobody is missing. */
  decisionMs(trust: Pick<RosterTrust, 'confirmMs' | 'trustFromMs' | 'isWhole'>): number {
    let firstMs = Infinity;
    for (const [agentId, sinceMs] of this.#missingSinceMs) {
      firstMs = Math.min(firstMs, this.#goneFromMs(agentId, sinceMs, trust));
    }
    return firstMs;
  }

  /** When a missing agent counts as gone. */
  #goneFromMs(
    agentId: string,
    sinceMs: number,
    { confirmMs, trustFromMs, isWhole }: Pick<RosterTrust, 'confirmMs' | 'trustFromMs' | 'isWhole'>,
  ): number {
    const heldUntilMs = isWhole ? (this.#heldUntilMs.get(agentId) ?? Infinity) : Infinity;
    const endedMs = Math.max(heldUntilMs, sinceMs + recheckMs);
    return Math.max(trustFromMs, Math.min(endedMs, sinceMs + confirmMs));
  }

  #isGone(agentId: string, trust: RosterTrust): boolean {
    const { nowMs, isHere } = trust;
    if (isHere(agentId)) {
      this.#missingSinceMs.delete(agentId);
      return false;
    }
    const sinceMs = this.#missingSinceMs.get(agentId);
    if (sinceMs === undefined) this.#missingSinceMs.set(agentId, nowMs);
    return sinceMs !== undefined && nowMs >= this.#goneFromMs(agentId, sinceMs, trust);
  }

  #tell(record: PresenceRecord): void {
    const { agentId, status } = record;
    this.#missingSinceMs.delete(agentId);
    this.#listed.delete(agentId);
    // Of a crowd nobody new is told, nor remembered.
    if (this.isCrowded && !this.#told.has(agentId)) return;
    if (status === 'offline') {
      this.#told.delete(agentId);
      this.#heldUntilMs.delete(agentId);
      this.#times.ended(record);
    } else {
      this.#told.set(agentId, record);
      this.#times.present(record);
    }
  }
}

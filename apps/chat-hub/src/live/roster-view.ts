import { presenceDifference, type PresenceRecord } from '@openclaw/presence';
import { limits } from '@openclaw/protocol';
import { ToldTimes } from './told-times.ts';

/** Under what circumstances a roster is taken for the truth. */
export interface RosterTrust {
  readonly nowMs: number;
  /** How long an agent must have been missing from the roster, by two readings at least, to be told offline. */
  readonly confirmMs: number;
  /** Before that somebody missing may be so for another reason than having gone, and is not told offline yet. */
  readonly trustFromMs: number;
  /** Whether the agent is here, whatever the roster says. */
  readonly isHere: (agentId: string) => boolean;
}

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
  /** Who was heard of since the reading began that is under way. */
  #heard: Set<string> | null = null;
  /** Whether a roster was asked for before, so that whatever is new in it is news to somebody. */
  #isKnown = false;

  readonly #times: ToldTimes;

  /** @param clock milliseconds that run evenly */
  constructor(clock: () => number = () => performance.now()) {
    this.#times = new ToldTimes(clock);
  }

  /** An event tells of these. Returns those to pass on to all sockets: what is older than what they know is not. */
  saw<R extends PresenceRecord>(records: readonly R[]): R[] {
    const news = records.filter((record) => {
      if (this.#times.isOutdated(record)) return false;
      this.#heard?.add(record.agentId);
      this.#tell(record);
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
    return isNews ? found : [];
  }

  #isGone(agentId: string, { nowMs, confirmMs, trustFromMs, isHere }: RosterTrust): boolean {
    if (isHere(agentId)) {
      this.#missingSinceMs.delete(agentId);
      return false;
    }
    const sinceMs = this.#missingSinceMs.get(agentId);
    if (sinceMs === undefined) this.#missingSinceMs.set(agentId, nowMs);
    return sinceMs !== undefined && nowMs >= Math.max(trustFromMs, sinceMs + confirmMs);
  }

  #tell(record: PresenceRecord): void {
    const { agentId, status } = record;
    this.#missingSinceMs.delete(agentId);
    this.#listed.delete(agentId);
    // Of a crowd nobody new is told, nor remembered.
    if (this.isCrowded && !this.#told.has(agentId)) return;
    if (status === 'offline') {
      this.#told.delete(agentId);
      this.#times.ended(record);
    } else {
      this.#told.set(agentId, record);
      this.#times.present(record);
    }
  }
}

/** What must never happen, by name. */
export const violationKinds = {
  'not stored': 'a send was acknowledged and is not in the log, or not where it was said to be',
  'stored twice': 'one clientMessageId is in the log twice, or was acknowledged with two seqs',
  'broken log': 'the log has a hole, a double or a disorder',
  'not logged': 'a delivered event is not in the log, or another is there',
  missing: 'a subscriber did not get an event',
  doubled: 'a subscriber got an event twice',
  disorder: 'a subscriber got an event after a later one',
  divergent: 'two subscribers got different events with the same seq',
  'wire gap': 'a connection skipped an event that it was owed',
  'wire double': 'a connection brought an event twice',
  discontinuity: 'a subscriber was told that it missed events, though no database was restored',
  'false offline': 'an agent with a live connection was shown offline',
  'false online': 'an agent that is gone was shown online to a subscriber',
  ghost: 'an agent that is gone is still listed',
  'read after removal': 'an answer held what was committed while its reader was no member',
  'given up': 'a client closed by itself',
  unanswered: 'a call has neither result nor error long after its timeout',
  'fault failed': 'a part did not stop or come back as it should',
} as const;

/** The name of a violation's kind. */
export type ViolationKind = keyof typeof violationKinds;

/** One violation, with what is needed to look for its cause. */
export interface Violation {
  readonly kind: ViolationKind;
  readonly atMs: number;
  readonly text: string;
  /** The faults that were struck last before it. */
  readonly lastFaults: readonly string[];
}

/** Collects violations: all are counted, the first of each kind are kept. */
export interface Violations {
  readonly total: number;
  readonly counts: ReadonlyMap<ViolationKind, number>;
  /** In the order of their time. */
  readonly kept: readonly Violation[];
  add(kind: ViolationKind, text: string, atMs?: number): void;
}

const keptPerKind = 50;

/** `lastFaults` names the faults before a moment; `onKept` hears of the kept ones as they happen. */
export function createViolations(
  lastFaults: (atMs: number) => readonly string[],
  onKept: (violation: Violation) => void = () => undefined,
): Violations {
  const counts = new Map<ViolationKind, number>();
  const kept: Violation[] = [];
  return {
    get total() {
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    },
    counts,
    get kept() {
      return kept.toSorted((a, b) => a.atMs - b.atMs);
    },
    add(kind, text, atMs = Date.now()) {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      if (count > keptPerKind) return;
      const violation = { kind, atMs, text, lastFaults: lastFaults(atMs) };
      kept.push(violation);
      onKept(violation);
    },
  };
}

/** As people read it, with the time since the run began. */
export function formatViolation(violation: Violation, startMs: number): string {
  const { kind, atMs, text, lastFaults } = violation;
  const at = ((atMs - startMs) / 1000).toFixed(2);
  const after = lastFaults.length === 0 ? 'before any fault' : `after ${lastFaults.join(', ')}`;
  return `${kind} at ${at} s: ${text} (${after})`;
}

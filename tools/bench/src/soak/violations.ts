import { ledgerViolations } from '@openclaw/test-support';

export const violationKinds = {
  ...ledgerViolations,
  'wire gap': 'a connection skipped an event, before the SDK could repair it',
  'wire double': 'a connection received an event twice, before the SDK could drop it',
  'false offline': 'an agent with a subscribed connection was shown offline',
  'false online': 'an agent that is gone was shown online to a subscriber',
  ghost: 'an agent that is gone is still listed',
  'read after removal': 'a reader got an event committed while it was not a member',
  'ask ended twice':
    'an addressee of an ask ended twice, or the expiry named others than the silent',
  'ask without end': 'an addressee of an ask neither ended nor expired',
  'inbox lost': 'an ask never came to an inbox',
  'inbox after ack': 'an ask came again after it was acknowledged',
  'stale fence': 'a fence fell, two agents held a claim, or a message was stored with an old fence',
  'stream broken': 'a growing message ended twice, never, or without its whole text',
  'given up': 'a client closed by itself',
  unanswered: 'a call has neither result nor error long after its timeout',
  'fault failed': 'a fault could not be injected, or the system did not recover from it',
} as const;

export type ViolationKind = keyof typeof violationKinds;

export interface Violation {
  readonly kind: ViolationKind;
  readonly atMs: number;
  readonly text: string;
  readonly lastFaults: readonly string[];
}

export interface Violations {
  readonly total: number;
  readonly counts: ReadonlyMap<ViolationKind, number>;
  readonly kept: readonly Violation[];
  add(kind: ViolationKind, text: string, atMs?: number): void;
}

const keptPerKind = 50;

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

export function formatViolation(violation: Violation, startMs: number): string {
  const { kind, atMs, text, lastFaults } = violation;
  const at = ((atMs - startMs) / 1000).toFixed(2);
  const after = lastFaults.length === 0 ? 'before any fault' : `after ${lastFaults.join(', ')}`;
  return `${kind} at ${at} s: ${text} (${after})`;
}

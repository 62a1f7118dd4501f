// Agents' turns are counted in each thread and, outside of threads, in the channel. The count is in the row of the
// thread, or of the channel's last message, because a send uses this row anyway. When retention trims all messages, the
// count restarts.

export interface Turns {
  /** Agents' messages since a person's last message. */
  readonly used: number;
  /** When a person last wrote; 0 for never. */
  readonly personAtMs: number;
  /** When the present window of a rate limit began. */
  readonly windowAtMs: number;
  readonly windowUsed: number;
  /** The end of a pause that ends by itself; 0 if there is none. */
  readonly pausedUntilMs: number;
}

export const noTurns: Turns = {
  used: 0,
  personAtMs: 0,
  windowAtMs: 0,
  windowUsed: 0,
  pausedUntilMs: 0,
};

/** Omits trailing zeros; null when all are zero. */
export function encodeTurns(turns: Turns): string | null {
  const { used, personAtMs, windowAtMs, windowUsed, pausedUntilMs } = turns;
  const text = [used, personAtMs, windowAtMs, windowUsed, pausedUntilMs].join(' ');
  return text.replace(/( 0)+$/, '').replace(/^0$/, '') || null;
}

export function decodeTurns(text: string | null): Turns {
  if (text === null || text === '') return noTurns;
  const [used = 0, personAtMs = 0, windowAtMs = 0, windowUsed = 0, pausedUntilMs = 0] = text
    .split(' ')
    .map(Number);
  return { used, personAtMs, windowAtMs, windowUsed, pausedUntilMs };
}

/** Null: the default applies. 0: no limit. */
export interface Budget {
  readonly agentTurns: number | null;
  readonly perMinute: number | null;
}

export interface TurnLimit {
  readonly limit: number;
  readonly windowMs: number;
}

const minuteMs = 60_000;

/** Each limit is the thread's own or, if not set, the channel's. */
export function budgetWithin(own: Budget, ofChannel: Budget): Budget {
  return {
    agentTurns: own.agentTurns ?? ofChannel.agentTurns,
    perMinute: own.perMinute ?? ofChannel.perMinute,
  };
}

/** In a channel or thread with a budget, the hub's own limits against loops do not apply. */
export function isBudgeted({ agentTurns, perMinute }: Budget): boolean {
  return agentTurns !== null || perMinute !== null;
}

export type TakenTurn =
  | {
      readonly ok: true;
      readonly turns: Turns;
      /**
       * Set when the message took the last turn. `pausedUntilMs` is the end of the pause, or null when only a person
       * ends it.
       */
      readonly exhausted?: { readonly used: number; readonly pausedUntilMs: number | null };
    }
  | { readonly ok: false; readonly pausedUntilMs: number | null };

/** Counts one message of an agent. `byDefault` is the hub's limit, for channels and threads without a budget. */
export function takeTurn(
  turns: Turns,
  budget: Budget,
  byDefault: TurnLimit | null,
  nowMs: number,
): TakenTurn {
  const most = budget.agentTurns || Infinity;
  if (turns.used >= most) return { ok: false, pausedUntilMs: null };
  const used = turns.used + 1;
  const isLast = used >= most;
  const window = windowOf(budget, byDefault);
  if (!window) {
    const next = { ...noTurns, used, personAtMs: turns.personAtMs };
    return isLast
      ? { ok: true, turns: next, exhausted: { used, pausedUntilMs: null } }
      : { ok: true, turns: next };
  }
  const isOpen = turns.windowAtMs + window.windowMs > nowMs;
  const windowAtMs = isOpen ? turns.windowAtMs : nowMs;
  const endMs = windowAtMs + window.windowMs;
  if (isOpen && turns.windowUsed >= window.limit) return { ok: false, pausedUntilMs: endMs };
  const windowUsed = isOpen ? turns.windowUsed + 1 : 1;
  const isFull = windowUsed >= window.limit;
  const next = {
    ...{ used, personAtMs: turns.personAtMs, windowAtMs, windowUsed },
    pausedUntilMs: isFull ? endMs : 0,
  };
  return isLast || isFull
    ? { ok: true, turns: next, exhausted: { used, pausedUntilMs: isLast ? null : endMs } }
    : { ok: true, turns: next };
}

export function refilledBy(nowMs: number): Turns {
  return { ...noTurns, personAtMs: nowMs };
}

/** Null if there is no pause, or if only a person can end it. */
export function pausedUntil(turns: Turns, budget: Budget, nowMs: number): number | null {
  const { pausedUntilMs, windowUsed } = turns;
  if (pausedUntilMs <= nowMs) return null;
  // If the budget was changed during the pause, the pause may already be over.
  const isOver = isBudgeted(budget) && windowUsed < (budget.perMinute || Infinity);
  return isOver ? null : pausedUntilMs;
}

function windowOf(budget: Budget, byDefault: TurnLimit | null): TurnLimit | null {
  if (budget.perMinute) return { limit: budget.perMinute, windowMs: minuteMs };
  return isBudgeted(budget) ? null : byDefault;
}

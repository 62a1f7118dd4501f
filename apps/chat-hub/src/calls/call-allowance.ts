import type { Limit } from '@openclaw/ratelimit';

export interface CallAllowanceOptions extends Limit {
  readonly onBarred: (agentId: string, forMs: number) => void;
  /** Past this number of agents in a window, the agent that called first is forgotten. @default 100_000 */
  readonly maxAgents?: number;
  /** Returns monotonic time in ms. @default performance.now */
  readonly clock?: () => number;
}

/** An agent is barred when it makes this many times its allowed calls within a window. */
const barredAtTimes = 5;
const minLimit: Limit = { limit: 2_000, windowMs: 2_000 };
/** A frame or body counts as one call per this many bytes, because a large one takes longer to read. */
const bytesPerCall = 4_096;

export function callsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / bytesPerCall));
}

/**
 * The default is twice the sum of the other limits, and at least `minLimit`. An agent reaches the other limits first,
 * so the allowance stops only floods.
 */
export function defaultCallLimit(limits: Readonly<Record<string, Limit>>): Limit {
  const { limit, windowMs } = minLimit;
  const perMs = Object.values(limits).reduce((sum, each) => sum + each.limit / each.windowMs, 0);
  return { limit: Math.max(limit, Math.ceil(2 * perMs * windowMs)), windowMs };
}

/**
 * Limits the calls of each agent on this hub, over all its sockets and REST. The count adds the calls of the current
 * window to a share of the previous window's calls. Every step is O(1).
 */
export function createCallAllowance(options: CallAllowanceOptions) {
  const { limit, windowMs, onBarred, maxAgents = 100_000 } = options;
  const { clock = () => performance.now() } = options;
  let startMs = clock();
  let current = new Map<string, number>();
  let previous = new Map<string, number>();
  const barred = new Map<string, number>();

  function turn(nowMs: number): void {
    const turns = Math.floor((nowMs - startMs) / windowMs);
    if (turns < 1) return;
    previous = turns === 1 ? current : new Map<string, number>();
    current = new Map<string, number>();
    startMs += turns * windowMs;
    for (const [agentId, untilMs] of barred) if (untilMs <= nowMs) barred.delete(agentId);
  }

  /** Returns the milliseconds until the count is below the limit, if no further call comes. */
  function leftInMs(before: number, now: number, elapsedMs: number): number {
    const most = limit - 1;
    if (now <= most) return Math.max(0, windowMs * (1 - (most - now) / before) - elapsedMs);
    return 2 * windowMs - elapsedMs - windowMs * (most / now);
  }

  function barredForMs(agentId: string): number | null {
    const untilMs = barred.get(agentId);
    if (untilMs === undefined) return null;
    const leftMs = Math.ceil(untilMs - clock());
    return leftMs > 0 ? leftMs : null;
  }

  return {
    barredForMs,
    /**
     * Counts calls, including refused and malformed ones. Returns null when they are allowed, else the wait in ms.
     * Calls of a barred agent are not counted.
     */
    count(agentId: string, calls = 1): number | null {
      const nowMs = clock();
      turn(nowMs);
      const leftMs = barredForMs(agentId);
      if (leftMs !== null) return leftMs;
      const now = (current.get(agentId) ?? 0) + calls;
      if (now === calls && current.size >= maxAgents) {
        const [first] = current.keys();
        if (first !== undefined) current.delete(first);
      }
      current.set(agentId, now);
      const before = previous.get(agentId) ?? 0;
      const elapsedMs = nowMs - startMs;
      const counted = now + before * (1 - elapsedMs / windowMs);
      if (counted <= limit) return null;
      // One millisecond is added, because rounding may leave the count slightly over the limit at the end of the wait.
      const afterMs = Math.floor(leftInMs(before, now, elapsedMs)) + 1;
      if (counted <= barredAtTimes * limit) return afterMs;
      barred.set(agentId, nowMs + afterMs);
      onBarred(agentId, afterMs);
      return afterMs;
    },
  };
}

export type CallAllowance = ReturnType<typeof createCallAllowance>;

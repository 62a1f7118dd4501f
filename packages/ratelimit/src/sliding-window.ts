import { type Limit, sliceMsOf } from './limit.ts';

export interface Slice {
  leavesAtMs: number;
  count: number;
}

/**
 * The requests of the last `windowMs`, in about sixty slices. A slice leaves when its youngest request does, so an
 * older request leaves up to `sliceMs` late, never early. `count.lua` has the same rule.
 */
export class SlidingWindow {
  readonly #windowMs: number;
  readonly #sliceMs: number;
  #slices: Slice[] = [];
  #total = 0;

  constructor(limit: Limit) {
    this.#windowMs = limit.windowMs;
    this.#sliceMs = sliceMsOf(limit);
  }

  get slices(): readonly Slice[] {
    return this.#slices;
  }

  /** Drops the slices that left the window at `nowMs`. */
  count(nowMs: number): number {
    const newest = this.#slices.at(-1);
    if (newest && newest.leavesAtMs > nowMs + 2 * this.#windowMs + this.#sliceMs) {
      // The clock was set back by more than a window, so these slices would stay too long.
      this.#slices = [];
      this.#total = 0;
    }
    let gone = 0;
    for (const slice of this.#slices) {
      if (slice.leavesAtMs > nowMs) break;
      this.#total -= slice.count;
      gone += 1;
    }
    if (gone > 0) this.#slices.splice(0, gone);
    return this.#total;
  }

  add(nowMs: number, requests = 1): void {
    this.#append(nowMs + this.#windowMs, requests);
  }

  merge(slices: readonly Slice[]): void {
    const all = [...this.#slices, ...slices].sort((a, b) => a.leavesAtMs - b.leavesAtMs);
    this.#slices = [];
    this.#total = 0;
    for (const { leavesAtMs, count } of all) this.#append(leavesAtMs, count);
  }

  #append(leavesAtMs: number, count: number): void {
    const newest = this.#slices.at(-1);
    // If the clock was set back a little, the newest slice takes the request, so that slices stay in order.
    if (newest && newest.leavesAtMs >= leavesAtMs) newest.count += count;
    else if (newest && this.#numberOf(newest.leavesAtMs) === this.#numberOf(leavesAtMs)) {
      newest.count += count;
      newest.leavesAtMs = leavesAtMs;
    } else this.#slices.push({ leavesAtMs, count });
    this.#total += count;
  }

  #numberOf(leavesAtMs: number): number {
    return Math.floor((leavesAtMs - this.#windowMs) / this.#sliceMs);
  }
}

/**
 * Returns the milliseconds until `requests` requests have left the window, or until the first one has if `requests` is
 * less than 1. Returns 0 if the window is empty.
 */
export function leftInMs(slices: readonly Slice[], nowMs: number, requests: number): number {
  let left = 0;
  let leavesAtMs = nowMs;
  for (const slice of slices) {
    left += slice.count;
    leavesAtMs = slice.leavesAtMs;
    if (left >= requests) break;
  }
  return Math.max(0, leavesAtMs - nowMs);
}

// An agent moves to the end of the order at most once in this time, because a move costs more than counting a request.
const orderMs = 1000;

/** Drops agents that were idle for `idleMs`, and beyond `max` agents the longest idle one. */
export function createAgentMap<T>(
  max: number,
  idleMs: number,
  onDropped = (_value: T): void => undefined,
) {
  // In the order of the last touch, oldest first.
  const entries = new Map<string, { readonly value: T; touchedAtMs: number }>();

  const sweep = (nowMs: number) => {
    for (const [agentId, { value, touchedAtMs }] of entries) {
      if (nowMs - touchedAtMs < idleMs + orderMs) break;
      entries.delete(agentId);
      onDropped(value);
    }
  };

  return {
    touch(agentId: string, nowMs: number, create: () => T): T {
      const known = entries.get(agentId);
      if (known) {
        if (Math.abs(nowMs - known.touchedAtMs) >= orderMs) {
          known.touchedAtMs = nowMs;
          entries.delete(agentId);
          entries.set(agentId, known);
        }
        return known.value;
      }
      sweep(nowMs);
      const [idlest] = entries.size >= max ? entries : [];
      if (idlest) {
        entries.delete(idlest[0]);
        onDropped(idlest[1].value);
      }
      const value = create();
      entries.set(agentId, { value, touchedAtMs: nowMs });
      return value;
    },
    get: (agentId: string) => entries.get(agentId)?.value,
    delete: (agentId: string) => void entries.delete(agentId),
    sweep,
    get size() {
      return entries.size;
    },
  };
}

export type AgentMap<T> = ReturnType<typeof createAgentMap<T>>;

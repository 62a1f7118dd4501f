import { type CountReply, type Counted, unpackSlices, type WindowKeys } from './count-script.ts';
import { mustLeave } from './decision.ts';
import { type Limit, sliceMsOf } from './limit.ts';
import { leftInMs, type Slice, SlidingWindow } from './sliding-window.ts';

/**
 * What one process knows of one agent's window: the last exchange's answer (everyone's requests, ours included) and
 * what was counted here since.
 */
export class LocalAgent {
  readonly limit: Limit;
  /** Undefined without Redis. */
  readonly keys: WindowKeys | undefined;
  #known: SlidingWindow;
  #pending: SlidingWindow;
  #sent: SlidingWindow | undefined;
  // Slices are unpacked only when their sum alone would refuse: hardly any agent ever gets near its limit.
  #reply: (CountReply & { readonly atMs: number }) | undefined;
  #blockedUntilMs = 0;

  constructor(limit: Limit, keys: WindowKeys | undefined) {
    this.limit = limit;
    this.keys = keys;
    this.#known = this.#newWindow();
    this.#pending = this.#newWindow();
  }

  /** Decides and counts. `count` may still hold what has just left the window, but never when that would refuse. */
  consume(nowMs: number): { allowed: boolean; count: number; resetMs: number } {
    const { limit, windowMs } = this.limit;
    const blockedMs = this.#blockedUntilMs - nowMs;
    // The upper bound is for a clock set back.
    if (blockedMs > 0 && blockedMs <= 2 * windowMs) {
      return { allowed: false, count: limit, resetMs: blockedMs };
    }
    if (this.#countAtMost(nowMs) >= limit) this.#unpack();
    const count = this.#countAtMost(nowMs);
    if (count < limit) {
      this.#pending.add(nowMs);
      return { allowed: true, count: count + 1, resetMs: this.#resetMs(nowMs) };
    }
    const slices = [this.#known, this.#pending, this.#sent]
      .flatMap((window) => window?.slices ?? [])
      .sort((a, b) => a.leavesAtMs - b.leavesAtMs);
    const resetMs = leftInMs(slices, nowMs, mustLeave(this.limit, count));
    this.#blockedUntilMs = nowMs + resetMs;
    return { allowed: false, count, resetMs };
  }

  /** Takes what waits to be sent; one of `received`, `unanswered`, `unsent` must follow before the next. */
  take(nowMs: number): Counted[] {
    this.#pending.count(nowMs);
    this.#sent = this.#pending;
    this.#pending = this.#newWindow();
    return this.#sent.slices.map(({ leavesAtMs, count }) => {
      const sliceEndMs = leavesAtMs - this.limit.windowMs;
      return [Math.max(0, nowMs - sliceEndMs), count] as const;
    });
  }

  /** The exchange was answered: what Redis holds replaces what was known, a reset included. */
  received(reply: CountReply, atMs: number): void {
    this.#known = this.#newWindow();
    this.#reply = { ...reply, atMs };
    this.#sent = undefined;
    this.#blockedUntilMs = 0;
  }

  /** The exchange may have arrived: what was sent stays counted here and is not sent again, lest it count twice. */
  unanswered(): void {
    this.#unpack();
    this.#known.merge(this.#sent?.slices ?? []);
    this.#sent = undefined;
  }

  /** The exchange was not sent: it goes with the next. */
  unsent(): void {
    this.#pending.merge(this.#sent?.slices ?? []);
    this.#sent = undefined;
  }

  #countAtMost(nowMs: number): number {
    return (
      (this.#reply?.count ?? this.#known.count(nowMs)) +
      this.#pending.count(nowMs) +
      (this.#sent?.count(nowMs) ?? 0)
    );
  }

  #resetMs(nowMs: number): number {
    const replied = this.#reply;
    const oldest = [this.#known, this.#pending, this.#sent].map(
      (window) => window?.slices[0]?.leavesAtMs ?? Infinity,
    );
    const knownMs = replied && replied.count > 0 ? replied.atMs + replied.resetMs : Infinity;
    return Math.max(0, Math.min(knownMs, ...oldest) - nowMs);
  }

  #unpack(): void {
    if (!this.#reply) return;
    const { packed, atMs } = this.#reply;
    const slices: Slice[] = unpackSlices(packed).map(([leavesInMs, count]) => ({
      leavesAtMs: atMs + leavesInMs,
      count,
    }));
    this.#known.merge(slices);
    this.#reply = undefined;
  }

  #newWindow(): SlidingWindow {
    return new SlidingWindow(this.limit.windowMs, sliceMsOf(this.limit));
  }
}

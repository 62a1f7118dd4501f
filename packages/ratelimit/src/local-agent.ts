import { type CountReply, type Counted, unpackSlices, type WindowKeys } from './count-script.ts';
import { excessOf } from './decision.ts';
import { type Limit, sliceMsOf } from './limit.ts';
import { leftInMs, type Slice, SlidingWindow } from './sliding-window.ts';

/**
 * One agent's window as one process knows it: the requests of all processes up to the last exchange, and those that were
 * counted here since.
 */
export class LocalAgent {
  readonly limit: Limit;
  /** Undefined without Redis. */
  readonly keys: WindowKeys | undefined;
  #known: SlidingWindow;
  #pending: SlidingWindow;
  #sent: SlidingWindow | undefined;
  // The slices of a reply are unpacked only when the sum refuses: few agents ever get near their limit.
  #reply: (CountReply & { readonly atMs: number }) | undefined;
  #blockedUntilMs = 0;

  constructor(limit: Limit, keys: WindowKeys | undefined) {
    this.limit = limit;
    this.keys = keys;
    this.#known = this.#newWindow();
    this.#pending = this.#newWindow();
  }

  /** Decides and counts. An allowed request's `count` may include requests that have just left the window. */
  consume(nowMs: number): { allowed: boolean; count: number; resetMs: number } {
    const { limit, windowMs } = this.limit;
    const blockedMs = this.#blockedUntilMs - nowMs;
    // The upper bound is for a clock that was set back.
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
    const resetMs = leftInMs(slices, nowMs, excessOf(this.limit, count));
    this.#blockedUntilMs = nowMs + resetMs;
    return { allowed: false, count, resetMs };
  }

  /** Takes the requests to send. Call `onReply`, `onUnanswered` or `onNotSent` before the next call. */
  takeUnsent(nowMs: number): Counted[] {
    this.#pending.count(nowMs);
    this.#sent = this.#pending;
    this.#pending = this.#newWindow();
    return this.#sent.slices.map(({ leavesAtMs, count }) => {
      const sliceEndMs = leavesAtMs - this.limit.windowMs;
      return [Math.max(0, nowMs - sliceEndMs), count] as const;
    });
  }

  /** Redis' count replaces what was known, so that a reset counts. */
  onReply(reply: CountReply, atMs: number): void {
    this.#known = this.#newWindow();
    this.#reply = { ...reply, atMs };
    this.#sent = undefined;
    this.#blockedUntilMs = 0;
  }

  /** The exchange may have arrived: the requests stay counted here and are not sent again, so none counts twice. */
  onUnanswered(): void {
    this.#unpack();
    this.#known.merge(this.#sent?.slices ?? []);
    this.#sent = undefined;
  }

  /** The requests go with the next exchange. */
  onNotSent(): void {
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
    const reply = this.#reply;
    const oldest = [this.#known, this.#pending, this.#sent].map(
      (window) => window?.slices[0]?.leavesAtMs ?? Infinity,
    );
    const knownMs = reply && reply.count > 0 ? reply.atMs + reply.resetMs : Infinity;
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

/** Options of {@link backoffMs}. */
export interface BackoffOptions {
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * How long to wait before the attempt after `failures` failed ones: full jitter, anywhere between nothing and a bound
 * that doubles, so that clients which lost the same hub at once do not come back at once.
 */
export function backoffMs(failures: number, options: BackoffOptions): number {
  const boundMs = Math.min(
    options.backoffMaxMs,
    options.backoffMinMs * 2 ** Math.min(failures, 30),
  );
  return Math.round(options.random() * boundMs);
}

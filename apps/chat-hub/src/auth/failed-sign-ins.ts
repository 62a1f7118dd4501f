/** Holds addresses back from which too many wrong credentials came. */
export interface FailedSignIns {
  /** Null when credentials from this address are looked at, else after how many milliseconds they are. */
  heldForMs(address: string): number | null;
  /** Counts credentials that were no good. */
  failed(address: string): void;
}

/** Options of {@link createFailedSignIns}. */
export interface FailedSignInsOptions {
  /** Failures at once that an address is forgiven. @default 50 */
  readonly burst?: number;
  /** Failures a second that it is forgiven in the long run. @default 10 */
  readonly perSecond?: number;
  /** Told of each failure. */
  readonly onFailed?: () => void;
  /** Addresses that are remembered; past it the one that failed longest ago is forgotten. @default 10_000 */
  readonly maxAddresses?: number;
  /** Now, in ms that never go back. @default performance.now */
  readonly clock?: () => number;
}

interface Bucket {
  /** Failures that are not forgiven yet. */
  level: number;
  atMs: number;
}

/**
 * A leaking bucket an address. Only failures fill it, so any number of agents with good tokens may share an address;
 * while it is full, nobody's credentials from there are looked at.
 */
export function createFailedSignIns({
  burst = 50,
  perSecond = 10,
  maxAddresses = 10_000,
  onFailed,
  clock = () => performance.now(),
}: FailedSignInsOptions = {}): FailedSignIns {
  const buckets = new Map<string, Bucket>();

  const levelOf = ({ level, atMs }: Bucket, nowMs: number) =>
    Math.max(0, level - ((nowMs - atMs) / 1_000) * perSecond);

  return {
    heldForMs(address) {
      const bucket = buckets.get(address);
      if (!bucket) return null;
      const level = levelOf(bucket, clock());
      if (level === 0) buckets.delete(address);
      return level <= burst - 1 ? null : Math.ceil(((level - burst + 1) / perSecond) * 1_000);
    },
    failed(address) {
      onFailed?.();
      const nowMs = clock();
      const known = buckets.get(address);
      // Those that were under way together may overfill it, but never for longer than it takes to empty twice.
      const level = Math.min(2 * burst, (known ? levelOf(known, nowMs) : 0) + 1);
      buckets.delete(address);
      buckets.set(address, { level, atMs: nowMs });
      if (buckets.size <= maxAddresses) return;
      const [first] = buckets.keys();
      if (first !== undefined) buckets.delete(first);
    },
  };
}

import { hash } from 'node:crypto';
import type { Credentials } from './identity.ts';

/** Holds addresses back from which too many wrong credentials came. */
export interface FailedSignIns {
  /**
   * Null when these credentials from this address are looked at, else after how many milliseconds they are. Those that
   * were good before always are: one who fails again and again must not stop others behind the same address.
   */
  heldForMs(address: string, credentials?: Credentials): number | null;
  /** Counts credentials that were no good. */
  failed(address: string, credentials?: Credentials): void;
  /** These were good. */
  proved(credentials: Credentials): void;
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
  /** Good credentials that are remembered; past it those that came longest ago are forgotten. @default 20_000 */
  readonly maxProved?: number;
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
 * while it is full, no credentials from there are looked at that were not good before.
 */
export function createFailedSignIns({
  burst = 50,
  perSecond = 10,
  maxAddresses = 10_000,
  maxProved = 20_000,
  onFailed,
  clock = () => performance.now(),
}: FailedSignInsOptions = {}): FailedSignIns {
  const buckets = new Map<string, Bucket>();
  /** Hashes: of a token that is long over nothing is kept that could be used. */
  const good = new Set<string>();

  const levelOf = ({ level, atMs }: Bucket, nowMs: number) =>
    Math.max(0, level - ((nowMs - atMs) / 1_000) * perSecond);

  return {
    heldForMs(address, credentials) {
      const bucket = buckets.get(address);
      if (!bucket) return null;
      const level = levelOf(bucket, clock());
      if (level === 0) buckets.delete(address);
      if (level <= burst - 1 || (credentials && good.has(hashOf(credentials)))) return null;
      return Math.ceil(((level - burst + 1) / perSecond) * 1_000);
    },
    proved(credentials) {
      const hash = hashOf(credentials);
      good.delete(hash);
      good.add(hash);
      const [first] = good;
      if (good.size > maxProved && first !== undefined) good.delete(first);
    },
    failed(address, credentials) {
      onFailed?.();
      if (credentials) good.delete(hashOf(credentials));
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

function hashOf({ token, devAgent, devRole }: Credentials): string {
  return hash('sha256', JSON.stringify([token, devAgent, devRole]), 'base64');
}

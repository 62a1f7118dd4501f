import { hash } from 'node:crypto';
import type { Credentials } from './identity.ts';

/** Holds back addresses that sent too many wrong credentials. */
export interface FailedSignIns {
  /**
   * Null when these credentials from this address are checked, else the milliseconds until they are again. Credentials
   * that were good before are always checked: one agent that fails again and again must not stop others at its address.
   */
  heldForMs(address: string, credentials?: Credentials): number | null;
  /** Counts one failed sign-in. */
  failed(address: string, credentials?: Credentials): void;
  /** Remembers that these credentials were good. */
  proved(credentials: Credentials): void;
}

/** Options of {@link createFailedSignIns}. */
export interface FailedSignInsOptions {
  /** Failures in a burst before an address is held back. @default 50 */
  readonly burst?: number;
  /** Failures a second that an address may cause in the long run. @default 10 */
  readonly perSecond?: number;
  /** Called for each failure. */
  readonly onFailed?: () => void;
  /** Addresses remembered at a time; past it the one whose last failure is oldest is forgotten. @default 10_000 */
  readonly maxAddresses?: number;
  /** Good credentials remembered at a time; past it those used longest ago are forgotten. @default 20_000 */
  readonly maxProved?: number;
  /** Now, in ms that never go back. @default performance.now */
  readonly clock?: () => number;
}

interface Bucket {
  /** Failures that have not leaked away yet. */
  level: number;
  atMs: number;
}

/**
 * Keeps a leaky bucket per address. Only failures fill it, so any number of agents with good tokens may share an
 * address; while it is full, only credentials from there that were good before are checked.
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
  /** Hashes of good credentials, so that no usable token is kept. The latest come last. */
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
      // Sign-ins under way together may overfill it; the cap bounds how long the address is held back then.
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

import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Credentials } from './identity.ts';

interface Bucket {
  readonly level: number;
  readonly atMs: number;
}

/**
 * Each address has a leaky bucket. Only failures fill the bucket, so agents with valid tokens may share an address.
 * While the bucket is full, the hub checks only credentials that it accepted before.
 */
export function createFailedSignIns({
  burst = 50,
  perSecond = 10,
  /** Beyond this number, the address that failed longest ago is forgotten. */
  maxAddresses = 10_000,
  maxGood = 20_000,
  clock = () => performance.now(),
} = {}) {
  const buckets = new LRUCache<string, Bucket>({ max: maxAddresses });
  /** Keeps hashes, so that no usable token is stored. */
  const good = new LRUCache<string, true>({ max: maxGood });

  function levelAt(address: string, nowMs: number): number {
    const bucket = buckets.peek(address);
    return bucket ? Math.max(0, bucket.level - ((nowMs - bucket.atMs) / 1_000) * perSecond) : 0;
  }

  return {
    /**
     * Null when these credentials may be checked. Credentials that were accepted before are always checked, so one
     * failing agent does not block the others at its address.
     */
    blockedForMs(address: string, credentials?: Credentials): number | null {
      const level = levelAt(address, clock());
      if (level === 0) buckets.delete(address);
      if (level <= burst - 1 || (credentials && good.has(hashOf(credentials)))) return null;
      return Math.ceil(((level - burst + 1) / perSecond) * 1_000);
    },
    recordSuccess(credentials: Credentials) {
      good.set(hashOf(credentials), true);
    },
    recordFailure(address: string, credentials?: Credentials) {
      if (credentials) good.delete(hashOf(credentials));
      const nowMs = clock();
      // Many sign-ins may fail at once, so a cap bounds how long the address is blocked.
      const level = Math.min(2 * burst, levelAt(address, nowMs) + 1);
      buckets.set(address, { level, atMs: nowMs });
    },
  };
}

export type FailedSignIns = ReturnType<typeof createFailedSignIns>;

function hashOf({ token, devAgent, devRole }: Credentials): string {
  return hash('sha256', JSON.stringify([token, devAgent, devRole]), 'base64');
}

import { LRUCache } from 'lru-cache';
import { sizeOf } from './codec.ts';
import type { CacheOptions } from './options.ts';
import type { ValueStore } from './value-store.ts';

interface Lease {
  readonly token: string;
  readonly endsAtMs: number;
}

export function createMemoryValueStore(options: Required<CacheOptions>): ValueStore {
  const { maxCopies, maxCopyBytes, clock } = options;
  const values = new LRUCache<string, { readonly text: string; readonly expiresAtMs: number }>({
    max: maxCopies,
    maxSize: maxCopyBytes,
    sizeCalculation: ({ text }) => sizeOf([text]),
  });
  // Bounded by the number of loads in progress.
  const leases = new Map<string, Lease>();

  const find = (name: string) => {
    const value = values.get(name);
    return value && value.expiresAtMs > clock() ? value.text : null;
  };

  return {
    async lookup(name) {
      const text = find(name);
      return text === null ? { state: 'miss' } : { state: 'hit', text };
    },
    async claim(name, token, leaseMs) {
      const text = find(name);
      if (text !== null) return { state: 'hit', text };
      const lease = leases.get(name);
      if (lease && lease.endsAtMs > clock()) return { state: 'taken' };
      leases.set(name, { token, endsAtMs: clock() + leaseMs });
      return { state: 'claimed' };
    },
    async settle(name, token, text, ttlMs) {
      const lease = leases.get(name);
      if (lease?.token !== token) return 'refused';
      leases.delete(name);
      if (text === null || lease.endsAtMs <= clock()) return 'refused';
      values.set(name, { text, expiresAtMs: clock() + ttlMs });
      return 'stored';
    },
    async delete(name) {
      values.delete(name);
      leases.delete(name);
    },
  };
}

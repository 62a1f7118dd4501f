import type { KeySchema } from '@openclaw/key-schema';
import { defineScript, type RedisClient, toUnavailable } from '@openclaw/redis-client';
import { CacheError } from './errors.ts';
import { valueClaimLua, valueSettleLua } from './lua.gen.ts';
import type { ValueStore } from './value-store.ts';

const claimScript = defineScript('cache value claim', valueClaimLua);
const settleScript = defineScript('cache value settle', valueSettleLua);

export function createRedisValueStore(redis: RedisClient, keys: KeySchema): ValueStore {
  const keysOf = (name: string) => [keys.cachedValue(name), keys.cachedValueLease(name)] as const;
  const isAway = () => !redis.available && !redis.connecting;

  return {
    async lookup(name) {
      if (isAway()) return { state: 'away' };
      try {
        const [text] = (await redis.send(['MGET', keys.cachedValue(name)])) as unknown[];
        return typeof text === 'string' ? { state: 'hit', text } : { state: 'miss' };
      } catch {
        return { state: 'away' };
      }
    },
    async claim(name, token, leaseMs) {
      try {
        const args = [token, leaseMs];
        const reply = await redis.run({ script: claimScript, keys: keysOf(name), args });
        if (typeof reply === 'string') return { state: 'hit', text: reply };
        return { state: reply === 1 ? 'claimed' : 'taken' };
      } catch {
        return { state: 'away' };
      }
    },
    async settle(name, token, text, ttlMs) {
      try {
        const args = [token, text === null ? 0 : ttlMs, text ?? ''];
        const reply = await redis.run({ script: settleScript, keys: keysOf(name), args });
        return reply === 1 ? 'stored' : 'refused';
      } catch {
        // If the lease still exists, it expires by itself.
        return 'away';
      }
    },
    async delete(name) {
      await redis.send(['DEL', ...keysOf(name)]).catch((error: unknown) => {
        throw toUnavailable(CacheError, error);
      });
    },
  };
}

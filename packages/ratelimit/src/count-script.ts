import type { RedisKey } from '@openclaw/key-schema';
import { defineScript, type RedisReply, type ScriptCall } from '@openclaw/redis-client';
import { type Limit, sliceMsOf } from './limit.ts';
import { countLua } from './lua.gen.ts';

const countScript = defineScript('ratelimit count', countLua);

/** Requests to count: how long ago, how many. */
export type Counted = readonly [agoMs: number, requests: number];

/** The two keys of one agent's limit; on Cluster they share a slot. */
export interface WindowKeys {
  readonly counter: RedisKey;
  readonly window: RedisKey;
}

/**
 * One call of `count.lua`. With `decided` the requests count in any case and the reply brings the window's slices;
 * without, at most one request is handed in and the script decides. No request: look only.
 */
export function countCall(
  keys: WindowKeys,
  limit: Limit,
  requests: readonly Counted[],
  { decided, nowMs }: { readonly decided: boolean; readonly nowMs: number | undefined },
): ScriptCall {
  const { windowMs } = limit;
  return {
    script: countScript,
    keys: [keys.counter, keys.window],
    args: [windowMs, sliceMsOf(limit), decided ? '' : limit.limit, nowMs ?? '', ...requests.flat()],
  };
}

/** What `count.lua` answered. */
export interface CountReply {
  readonly allowed: boolean;
  readonly count: number;
  readonly resetMs: number;
  /** Slices as `leavesInMs count …`, oldest first; empty unless the call was `decided`. */
  readonly packed: string;
}

/** Reads a reply of `count.lua`. */
export function parseCountReply(reply: RedisReply): CountReply {
  const [allowed, count, resetMs, packed] = reply as [number, number, number, string];
  return { allowed: allowed === 1, count, resetMs, packed };
}

/** Reads {@link CountReply.packed}. */
export function unpackSlices(packed: string): Counted[] {
  const slices: Counted[] = [];
  const numbers = packed === '' ? [] : packed.split(' ').map(Number);
  for (let i = 0; i + 1 < numbers.length; i += 2) slices.push([numbers[i]!, numbers[i + 1]!]);
  return slices;
}

import type { KeySchema, RedisKey } from '@openclaw/key-schema';
import { defineScript, type RedisReply, type ScriptCall } from '@openclaw/redis-client';
import { type Limit, sliceMsOf } from './limit.ts';
import { blockLua, countLua } from './lua.gen.ts';

const countScript = defineScript('ratelimit count', countLua);
const blockScript = defineScript('ratelimit block', blockLua);

export type Counted = readonly [agoMs: number, requests: number];

/** On Cluster, both keys of one limit share a slot. */
export type WindowKeys = readonly [counter: RedisKey, window: RedisKey];

export function windowKeysOf(keys: KeySchema, action: string, agentId: string): WindowKeys {
  return [keys.rateLimit(action, agentId), keys.rateLimitWindow(action, agentId)];
}

/** Without a cost, the script only reads. */
export function decideCall(
  keys: WindowKeys,
  limit: Limit,
  cost: number | null,
  nowMs: number | undefined,
): ScriptCall {
  return callOf(keys, limit, limit.limit, nowMs, cost === null ? [] : [cost]);
}

export function countCall(
  keys: WindowKeys,
  limit: Limit,
  requests: readonly Counted[],
  nowMs: number | undefined,
): ScriptCall {
  return callOf(keys, limit, '', nowMs, requests.flat());
}

function callOf(
  keys: WindowKeys,
  limit: Limit,
  most: number | '',
  nowMs: number | undefined,
  rest: readonly number[],
): ScriptCall {
  const args = [limit.windowMs, sliceMsOf(limit), most, wholeMs(nowMs), ...rest];
  return { script: countScript, keys, args };
}

export interface CountReply {
  readonly allowed: boolean;
  readonly count: number;
  readonly resetMs: number;
  /** The slices as `leavesInMs count …`, oldest first. Empty in the reply to `decideCall`. */
  readonly packed: string;
  /** Time until a block ends; 0 without a block. */
  readonly blockedMs: number;
}

export function parseCountReply(reply: RedisReply): CountReply {
  const [allowed, count, resetMs, packed = '', blockedMs = 0] = reply as [
    ...[number, number, number],
    packed?: string,
    blockedMs?: number,
  ];
  return { allowed: allowed === 1, count, resetMs, packed, blockedMs };
}

/** The script needs whole milliseconds, but a clock may have fractions. An empty value means the time of Redis. */
function wholeMs(nowMs: number | undefined): number | '' {
  return nowMs === undefined ? '' : Math.floor(nowMs);
}

export function blockCall(
  keys: WindowKeys,
  limit: Limit,
  forMs: number,
  nowMs: number | undefined,
): ScriptCall {
  return {
    script: blockScript,
    keys,
    args: [forMs, limit.windowMs + sliceMsOf(limit), wholeMs(nowMs)],
  };
}

export function unpackSlices(packed: string): Counted[] {
  const slices: Counted[] = [];
  const numbers = packed === '' ? [] : packed.split(' ').map(Number);
  for (let i = 0; i + 1 < numbers.length; i += 2) slices.push([numbers[i]!, numbers[i + 1]!]);
  return slices;
}

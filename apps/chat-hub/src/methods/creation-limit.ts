import {
  refuse,
  utf8Bytes,
  type JsonObject,
  type ParamsOf,
  type Refusal,
} from '@openclaw/protocol';
import { LRUCache } from 'lru-cache';
import type { Answer, Caller } from '../calls/handler.ts';
import type { MethodDeps } from './method-deps.ts';

// HUB_LIMIT_CREATE limits new channels and memberships, because they are permanent and slow down the reads of other
// agents. Admins are exempt, because they set up fleets.

const kib = 1024;
/** The most direct channels that the hub remembers. A message in a remembered channel does not count as a creation. */
const maxKnown = 10_000;

/** Adds one to `created` for each whole KiB of a channel's metadata. */
export function creationCost(created: number, metadata: JsonObject | null | undefined): number {
  if (!metadata) return created;
  return created + Math.floor(utf8Bytes(JSON.stringify(metadata)) / kib);
}

/** Returns null when allowed. A refused call uses up what is left of the caller's allowance. */
export function refuseCreation(
  { limiter }: MethodDeps,
  { identity }: Caller,
  cost: number,
): Refusal | null {
  if (identity.isAdmin) return null;
  for (let counted = 0; counted < cost; counted++) {
    const { allowed, limit, retryAfterMs } = limiter.consume('create', identity.agentId);
    if (allowed) continue;
    return refuse(
      'rate_limited',
      `the create limit allows ${limit} new channels and members in its window`,
      retryAfterMs,
    );
  }
  return null;
}

/**
 * If this hub does not know the direct channel, the first message counts as a creation. The message is counted before
 * the store is called, so that concurrent messages cannot exceed the limit. Past the limit, the store takes the message
 * only if the channel exists.
 */
export function createDirectSend(deps: MethodDeps) {
  const { writer, rooms } = deps;
  const known = new LRUCache<string, true>({ max: maxKnown });
  /**
   * Counts the messages in flight that may create a direct channel, by sender and channel. Of several such messages
   * with the same sender and channel, only the first counts as a creation.
   */
  const opening = new Map<string, number>();

  return async function directSend<M extends 'direct.send' | 'ask.create'>(
    caller: Caller,
    channelId: string,
    method: M,
    params: ParamsOf<M>,
  ): Promise<Answer<M>> {
    if (known.has(channelId) || (rooms.get(channelId)?.head ?? 0) > 0) {
      return writer.write(caller, method, params);
    }
    const key = `${caller.identity.agentId}\n${channelId}`;
    const refusal = opening.has(key) ? null : refuseCreation(deps, caller, 1);
    if (refusal) {
      const actor = { ...caller.identity, mayOpenDirects: false };
      const reply = await writer.write(caller, method, params, actor);
      return reply.ok || reply.code !== 'rate_limited' ? reply : refusal;
    }
    opening.set(key, (opening.get(key) ?? 0) + 1);
    try {
      const reply = await writer.write(caller, method, params);
      if (reply.ok) known.set(channelId, true);
      return reply;
    } finally {
      const left = (opening.get(key) ?? 1) - 1;
      if (left === 0) opening.delete(key);
      else opening.set(key, left);
    }
  };
}

export type DirectSend = ReturnType<typeof createDirectSend>;

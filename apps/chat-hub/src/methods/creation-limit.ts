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

// Channels and memberships are permanent, and they make reads and counts slower, also for other agents.
// HUB_LIMIT_CREATE therefore limits their creation, in addition to the limit of the calls. Admins are exempt: they set
// up fleets, and may delete anything.

const kib = 1024;
/**
 * The most direct channels that are remembered as existing, so that later messages in them do not
 * count as creations.
 */
const maxKnown = 10_000;

/** The cost of a call: one for each object that it creates, and one for each whole KiB of a channel's metadata. */
export function creationCost(created: number, metadata: JsonObject | null | undefined): number {
  if (!metadata) return created;
  return created + Math.floor(utf8Bytes(JSON.stringify(metadata)) / kib);
}

/**
 * Counts `cost` for the caller. Returns null when allowed. Otherwise returns the refusal, and the
 * caller's allowance is used up.
 */
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
 * Counts new direct channels, for direct.send and for an ask to one agent. The first message to a
 * direct channel that this hub does not know counts as a creation. It is counted before the store
 * is called, so concurrent messages cannot exceed the limit, and no later call can overtake the
 * message. Past the limit, the store takes the message only if the channel exists.
 */
export function createDirectSend(deps: MethodDeps) {
  const { writer, rooms } = deps;
  const known = new LRUCache<string, true>({ max: maxKnown });
  /**
   * By sender and channel, the number of messages in flight that may create the direct channel.
   * They count as one creation together.
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

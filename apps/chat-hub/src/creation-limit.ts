import { utf8Bytes, type JsonObject, type ParamsOf } from '@openclaw/protocol';
import { write, type Hub } from './hub.ts';
import { refuse, type Answer, type Caller, type Refusal } from './rpc/answer.ts';

// What an agent makes stays: each channel and membership is read and counted for as long as it is there, by others too.
// So it is limited by HUB_LIMIT_CREATE, beside the limit of the calls themselves. Admins set up fleets, and may delete
// whatever there is: this limit is not for them.

const kib = 1024;
/** Direct channels known to be there, so that few messages count that make none. */
const maxKnown = 10_000;

/** What a call counts: what it makes, and one for each whole KiB of a channel's metadata. */
export function creationCost(made: number, metadata: JsonObject | null | undefined): number {
  if (!metadata) return made;
  return made + Math.floor(utf8Bytes(JSON.stringify(metadata)) / kib);
}

/** Counts so much for the caller. Null when it may, else the refusal; what was left is then used up. */
export function refuseCreation(
  hub: Pick<Hub, 'limiter'>,
  { identity }: Caller,
  cost: number,
): Refusal | null {
  if (identity.isAdmin) return null;
  for (let counted = 0; counted < cost; counted++) {
    const { allowed, limit, retryAfterMs } = hub.limiter.consume('create', identity.agentId);
    if (allowed) continue;
    return refuse('rate_limited', `at most ${limit} new channels and members`, retryAfterMs);
  }
  return null;
}

/**
 * Makes the handler of direct.send. The first message to a direct channel that this hub does not know to be there counts
 * as one that makes it, before the store is asked: many at once are not let through together, and none waits for a
 * question that a later call could overtake. Past the limit the store takes it only where there is a channel.
 */
export function createDirectSend(hub: Hub) {
  const known = new Set<string>();
  /** First messages that may make their channel and are under way, by sender and channel: they count as one. */
  const opening = new Map<string, number>();

  function remember(channelId: string): void {
    known.delete(channelId);
    known.add(channelId);
    const [oldest] = known;
    if (known.size > maxKnown && oldest !== undefined) known.delete(oldest);
  }

  return async function directSend(
    caller: Caller,
    channelId: string,
    params: ParamsOf<'direct.send'>,
  ): Promise<Answer<'direct.send'>> {
    if (known.has(channelId) || (hub.rooms.get(channelId)?.head ?? 0) > 0) {
      return write(hub, caller, 'direct.send', params);
    }
    const key = `${caller.identity.agentId}\n${channelId}`;
    const refusal = opening.has(key) ? null : refuseCreation(hub, caller, 1);
    if (refusal) {
      const actor = { ...caller.identity, mayOpenDirects: false };
      const reply = await write(hub, caller, 'direct.send', params, actor);
      return reply.ok || reply.code !== 'rate_limited' ? reply : refusal;
    }
    opening.set(key, (opening.get(key) ?? 0) + 1);
    try {
      const reply = await write(hub, caller, 'direct.send', params);
      if (reply.ok) remember(channelId);
      return reply;
    } finally {
      const left = (opening.get(key) ?? 1) - 1;
      if (left === 0) opening.delete(key);
      else opening.set(key, left);
    }
  };
}

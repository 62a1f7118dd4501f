import { utf8Bytes, type JsonObject, type ParamsOf } from '@openclaw/protocol';
import { write, type Hub } from './hub.ts';
import { refuse, type Answer, type Caller, type Refusal } from '../calls/answer.ts';

// Channels and memberships stay, and cost reads and counts for as long as they are there, for others too. So creating them
// is limited by HUB_LIMIT_CREATE, beside the limit of the calls themselves. Admins, who set up fleets and may delete
// anything, are exempt.

const kib = 1024;
/** Direct channels remembered as existing, so that their later messages do not count as new channels. */
const maxKnown = 10_000;

/** How much a call counts: one for each thing that it creates, and one for each whole KiB of a channel's metadata. */
export function creationCost(made: number, metadata: JsonObject | null | undefined): number {
  if (!metadata) return made;
  return made + Math.floor(utf8Bytes(JSON.stringify(metadata)) / kib);
}

/** Counts `cost` for the caller. Null when it is allowed, else the refusal; the caller's allowance is then used up. */
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
 * Makes the handler of direct.send. The first message to a direct channel that this hub does not know counts as creating
 * it, before the store is asked: so many at once do not slip through together, and no message waits for a query that a
 * later call could overtake. Past the limit the store takes the message only if the channel exists.
 */
export function createDirectSend(hub: Hub) {
  const known = new Set<string>();
  /** First messages under way that may create their channel, by sender and channel: together they count as one. */
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

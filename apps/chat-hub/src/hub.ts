import type { Cache } from '@openclaw/cache';
import type { Actor, ChatStore, ReadMethod, WriteMethod } from '@openclaw/chat-store';
import type { EventBus } from '@openclaw/events';
import type { Channel, Message, MethodName, ParamsOf } from '@openclaw/protocol';
import type { LocalRateLimiter } from '@openclaw/ratelimit';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';
import type { PresenceFeed } from './live/presence-feed.ts';
import type { Publisher } from './live/publisher.ts';
import type { Rooms } from './live/rooms.ts';
import type { Sessions } from './live/sessions.ts';
import type { TypingFeed } from './live/typing-feed.ts';
import { refuse, type Answer, type Caller, type Handler, type Refusal } from './rpc/answer.ts';

/** What the hub caches of each channel. */
export type HubCache = Cache<Channel, Message>;

/** For reads whose rights were decided before: what is cached is filled for everyone, with nobody's rights. */
export const asHub: Actor = { agentId: 'hub', isAdmin: true };

/** What the hub's methods work with. Made in main.ts, passed to each family of methods. */
export interface Hub {
  readonly hubId: string;
  readonly store: ChatStore;
  readonly bus: EventBus;
  readonly cache: HubCache;
  readonly presence: PresenceFeed;
  readonly typing: TypingFeed;
  readonly limiter: LocalRateLimiter<LimitedAction>;
  readonly rooms: Rooms;
  readonly sessions: Sessions;
  readonly publisher: Publisher;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** What is limited, each with its own allowance per agent; `read` is for REST, where no frame guard counts. */
export type LimitedAction = 'message' | 'reaction' | 'typing' | 'read';

const actions: Partial<Record<MethodName, LimitedAction>> = {
  'reaction.add': 'reaction',
  'reaction.remove': 'reaction',
  'typing.start': 'typing',
  'typing.stop': 'typing',
  'presence.set': 'typing',
};

/** Which limit a changing method counts against. */
export function actionOf(method: MethodName): LimitedAction {
  return actions[method] ?? 'message';
}

/** Null when the caller may go on, else the refusal. Costs no round trip. REST counts before it comes here. */
export function limited(hub: Hub, caller: Caller, method: MethodName): Refusal | null {
  if (!caller.session) return null;
  const decision = hub.limiter.consume(actionOf(method), caller.identity.agentId);
  if (decision.allowed) return null;
  return refuse(
    'rate_limited',
    `at most ${decision.limit} of these in the window`,
    decision.retryAfterMs,
  );
}

/** Null when the caller's token reaches the channel, else the refusal. */
export function outOfBounds(caller: Caller, channelId: string): Refusal | null {
  const { channels } = caller.identity;
  return channels === null || channels.includes(channelId)
    ? null
    : refuse('forbidden', 'the token is not for this channel');
}

/**
 * A durable change: limit, commit, publish. The store decides rights, archive state and idempotency under the channel's
 * lock; by the time this answers, the change is committed.
 */
export async function write<M extends WriteMethod>(
  hub: Hub,
  caller: Caller,
  method: M,
  params: ParamsOf<M>,
): Promise<Answer<M>> {
  const refusal = limited(hub, caller, method);
  if (refusal) return refusal;
  const outcome = await hub.store.append(caller.identity, method, params);
  if (!outcome.ok) return outcome;
  if (outcome.event) hub.publisher.committed(outcome.event, outcome.agentTopics);
  return { ok: true, result: outcome.result };
}

/** The handler of a method that only changes the log. */
export function writes<M extends WriteMethod>(hub: Hub, method: M): Handler<M> {
  return (caller, params) => write(hub, caller, method, params);
}

/** The handler of a method that only reads the store. */
export function reads<M extends ReadMethod>(hub: Hub, method: M): Handler<M> {
  return (caller, params) => hub.store.read(caller.identity, method, params);
}

/**
 * Null when the caller is a member of the channel, else the refusal. A socket that is live in the channel is a member
 * by the log itself: the event that removes it drops it. Otherwise the store is asked; never a cache.
 */
export async function notMember(
  hub: Hub,
  caller: Caller,
  channelId: string,
): Promise<Refusal | null> {
  const bounds = outOfBounds(caller, channelId);
  if (bounds) return bounds;
  if (caller.session?.rooms.has(channelId)) return null;
  const { agentId, isAdmin } = caller.identity;
  const access = (await hub.store.access(agentId, [channelId])).get(channelId);
  if (!access) return refuse('not_found', 'there is no such channel');
  if (access.role !== null || isAdmin) return null;
  return access.kind === 'public'
    ? refuse('forbidden', 'only members may do this')
    : refuse('not_found', 'there is no such channel');
}

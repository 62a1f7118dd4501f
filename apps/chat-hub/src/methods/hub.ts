import type { Cache } from '@openclaw/cache';
import {
  ChatStoreError,
  type Access,
  type Actor,
  type ChatStore,
  type ReadMethod,
  type WriteMethod,
} from '@openclaw/chat-store';
import type { EventBus } from '@openclaw/events';
import type { Channel, Message, ParamsOf } from '@openclaw/protocol';
import type { LocalRateLimiter } from '@openclaw/ratelimit';
import type { Logger } from 'pino';
import { isWithinBounds } from '../edge/identity.ts';
import type { KnownAgents } from '../edge/known-agents.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { Publisher } from '../channels/publisher.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { Sessions } from '../sockets/sessions.ts';
import type { UnsentBudget } from '../sockets/unsent-budget.ts';
import type { Slices } from '../event-loop/slices.ts';
import type { TypingFeed } from '../presence/typing-feed.ts';
import type { LimitedAction } from '../calls/method-kinds.ts';
import { refuse, type Answer, type Caller, type Handler, type Refusal } from '../calls/answer.ts';

/** What the hub caches of each channel. */
export type HubCache = Cache<Channel, Message>;

/** For reads whose rights were decided before: what is cached is filled for everyone, with nobody's rights. */
export const asHub: Actor = { agentId: 'hub', isAdmin: true };

/**
 * The name under which reads that a channel's readers share take their turn at the store; it equals no agent's id. So
 * they never wait behind other reads of the agent that happened to ask first.
 */
export const readersOf = (channelId: string): string => `readers of ${channelId}`;

/** The dependencies of the hub's methods. Made in live.ts, passed to each family of methods. */
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
  readonly knownAgents: KnownAgents;
  readonly publisher: Publisher;
  /** The memory of unsent output. */
  readonly unsent: UnsentBudget;
  /** Does long work piece by piece. */
  readonly slices: Slices;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Null when the caller's token reaches the channel, else the refusal. */
export function outOfBounds(caller: Caller, channelId: string): Refusal | null {
  return isWithinBounds(caller.identity, channelId)
    ? null
    : refuse('forbidden', 'the token is not for this channel');
}

/**
 * A durable change: commit, publish. The store decides rights, archive state and idempotency under the channel's
 * lock; by the time this answers, the change is committed.
 */
export async function write<M extends WriteMethod>(
  hub: Hub,
  caller: Caller,
  method: M,
  params: ParamsOf<M>,
  actor: Actor = caller.identity,
): Promise<Answer<M>> {
  const via = caller.session === null ? 'rest' : 'ws';
  const outcome = await hub.store.append({ ...actor, via }, method, params);
  if (!outcome.ok) return outcome;
  for (const { event, agentTopics } of outcome.events) hub.publisher.committed(event, agentTopics);
  return { ok: true, result: outcome.result };
}

/** The handler of a method that only changes the log. */
export function writes<M extends WriteMethod>(hub: Hub, method: M): Handler<M> {
  return (caller, params) => write(hub, caller, method, params);
}

/** The handler of a method that only reads the store: rights and rows come from one snapshot. */
export function reads<M extends ReadMethod>(
  hub: Hub,
  method: M,
): (caller: Caller, params: ParamsOf<M>) => Promise<Answer<M>> {
  return async (caller, params) => {
    const read = await hub.store.readJson(caller.identity, method, params);
    return read.ok ? { ok: true, resultBytes: read.json } : read;
  };
}

/**
 * Null when the caller is a member of the channel, else the refusal. The store is asked, never a cache; while it is
 * away a socket that is live in the channel goes on, for its membership is what the log last said. Where an answer
 * depends on it, this is asked after the answer was read: else it could hold what came after the caller's removal.
 */
export async function notMember(
  hub: Hub,
  caller: Caller,
  channelId: string,
): Promise<Refusal | null> {
  const bounds = outOfBounds(caller, channelId);
  if (bounds) return bounds;
  const { agentId, isAdmin } = caller.identity;
  try {
    const access = (await hub.store.access(agentId, [channelId])).get(channelId);
    const refusal = access ? whyNotMember(access, isAdmin) : 'not_found';
    return refusal === null ? null : refuse(refusal, refusalTexts[refusal]);
  } catch (error) {
    if (isAway(error) && caller.session?.rooms.has(channelId)) return null;
    throw error;
  }
}

/** Why someone with this access is no member: outsiders of a private channel learn nothing of it. */
export function whyNotMember(
  { role, kind }: Access,
  isAdmin: boolean,
): 'forbidden' | 'not_found' | null {
  if (role !== null || isAdmin) return null;
  return kind === 'public' ? 'forbidden' : 'not_found';
}

/** What the refusals of a non-member say. */
export const refusalTexts = {
  forbidden: 'only members may do this',
  not_found: 'there is no such channel',
} as const;

/** Whether the error says that the database is away. */
export function isAway(error: unknown): boolean {
  return error instanceof ChatStoreError && error.code === 'unavailable';
}

import type { Actor, ChatStore, WriteMethod } from '@openclaw/chat-store';
import type { EventBus } from '@openclaw/events';
import {
  isDirectChannelId,
  refuseFrozen,
  type EncodedEnvelope,
  type EventOf,
  type JsonObject,
  type ParamsOf,
  type Refusal,
  type ResultOf,
} from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Answer, Caller, Transport } from '../calls/handler.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { LatestEvents } from '../recovery/latest-events.ts';
import type { Identity } from '../edge/identity.ts';
import type { Frozen } from '../edge/freezes.ts';
import type { AgentLoops } from './agent-loops.ts';
import { createAnnouncer } from './announcer.ts';
import type { EncodeEphemeral } from './ephemeral.ts';
import type { HubCache } from './hub-cache.ts';

/** Commits and publishes this hub's events: to its own rooms at once, to other hubs through Redis in the same turn. */
export function createPublisher(deps: {
  readonly bus: EventBus;
  readonly cache: Pick<HubCache, 'invalidates' | 'keysOf' | 'invalidateFor'>;
  readonly store: Pick<ChatStore, 'append'>;
  readonly encodeEphemeral: EncodeEphemeral;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly latestEvents: Pick<LatestEvents, 'record'>;
  readonly directMembers: (channelId: string) => Promise<readonly string[]>;
  readonly frozen: Frozen;
  readonly loops: AgentLoops;
  /** Called with the agents whose inboxes got an item. */
  readonly onInboxItems?: (agentIds: readonly string[]) => void;
}) {
  const { bus, cache, store, latestEvents, encodeEphemeral, metrics, log, frozen, loops } = deps;

  const countFailure = (error: unknown) => {
    metrics.publishFailures.inc();
    log.debug({ err: error }, 'an event did not reach Redis');
  };

  function publish(event: EncodedEnvelope, agentTopics: readonly string[]): void {
    const { channelId, type, seq } = event;
    if (channelId === null) return;
    if (type === 'channel.message' || type === 'thread.message') metrics.messages.inc();
    latestEvents.record(event);
    cache.invalidateFor(type, channelId, seq);
    const outdated = cache.invalidates(type, channelId);
    const targets = { channel: !isDirectChannelId(channelId), agents: agentTopics };
    bus.publish(event, targets, outdated, cache.keysOf(channelId)).catch(countFailure);
  }

  function publishGlobal(event: EventOf<'collaboration.event'>, { agentId, kind }: Identity): void {
    bus.publish(encodeEphemeral(event, agentId, kind), { global: true }).catch(countFailure);
  }

  // Here and not in freezes.ts, because every write asks it.
  function frozenScope({ kind, agentId }: Pick<Actor, 'kind' | 'agentId'>): 'hub' | 'agent' | null {
    if (kind !== 'agent') return null;
    if (frozen.hub) return 'hub';
    return frozen.agents.has(agentId) ? 'agent' : null;
  }

  /** The actor with what this hub knows of it, by which the store decides. */
  function actingNow(actor: Actor, via: Transport): Actor {
    const scope = frozenScope(actor);
    const paused = actor.kind === 'agent' ? loops.paused.get(actor.agentId) : undefined;
    return { ...actor, via, ...(scope && { frozen: scope }), ...(paused && { loops: paused }) };
  }

  const announce = createAnnouncer({
    publish: publishGlobal,
    onDropped: () => metrics.droppedAnnouncements.inc(),
  });

  return {
    /**
     * Commits a change and publishes its events. The store decides rights, archive state and idempotency under the
     * channel's lock; the change is committed when this resolves. Publishing never fails a call: other hubs find the
     * events in the log.
     */
    async commit<M extends WriteMethod>(
      caller: Caller,
      method: M,
      params: ParamsOf<M>,
      actor: Actor = caller.identity,
    ): Promise<Answer<M>> {
      const outcome = await store.append(actingNow(actor, caller.transport), method, params);
      if (!outcome.ok) return outcome;
      for (const { event, agentTopics, announcement, inboxes } of outcome.events) {
        publish(event, agentTopics);
        if (inboxes) deps.onInboxItems?.(inboxes);
        if (announcement) announce(announcement, caller.identity);
      }
      if (outcome.addressed) {
        const { timestamp } = outcome.result as ResultOf<'message.send'>;
        loops.committed(actor.agentId, outcome.addressed, timestamp);
      }
      if (outcome.globalEvent) {
        const { name, payload } = outcome.globalEvent;
        const event = { type: 'collaboration.event', channelId: null, name } as const;
        publishGlobal({ ...event, payload: payload as JsonObject }, caller.identity);
      }
      return { ok: true, result: outcome.result };
    },
    /** Publishes a typing or presence event of a channel. It is not logged: if Redis is away, other hubs never get it. */
    publishEphemeral(
      event: EventOf<'channel.typing'> | EventOf<'channel.presence'>,
      senderId: string,
    ) {
      const { channelId } = event;
      const encoded = encodeEphemeral(event, senderId);
      if (!isDirectChannelId(channelId)) {
        bus.publish(encoded, { channel: true }).catch(countFailure);
        return;
      }
      deps
        .directMembers(channelId)
        .then((agents) => bus.publish(encoded, { agents }))
        .catch(countFailure);
    },
    /** The refusal of an agent whose writes a person has stopped in all channels; null if it may write. */
    refuseFrozen(identity: Identity): Refusal | null {
      const scope = frozenScope(identity);
      return scope && refuseFrozen(scope);
    },
    /** Publishes an event to every connection of every hub. */
    publishGlobal,
  };
}

export type Publisher = ReturnType<typeof createPublisher>;

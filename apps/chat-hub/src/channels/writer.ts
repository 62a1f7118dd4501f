import type { Actor, AppendedEvent, ChatStore, WriteMethod } from '@openclaw/chat-store';
import type { EventBus } from '@openclaw/events';
import {
  isDirectChannelId,
  refuseFrozen,
  type EncodedEnvelope,
  type JsonObject,
  type ParamsOf,
  type Refusal,
} from '@openclaw/protocol';
import type { Answer, Caller, Transport } from '../calls/handler.ts';
import type { Frozen } from '../edge/freezes.ts';
import type { Identity } from '../edge/identity.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { LatestEvents } from '../recovery/latest-events.ts';
import type { AgentLoops } from './agent-loops.ts';
import type { HubCache } from './hub-cache.ts';
import type { Publisher } from './publisher.ts';

/** Publishes every event of a log, after the store has committed it. */
export function createWriter(deps: {
  readonly store: Pick<ChatStore, 'append'>;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly cache: Pick<HubCache, 'invalidates' | 'keysOf' | 'invalidateFor'>;
  readonly publisher: Pick<Publisher, 'announce' | 'publishGlobal' | 'countFailure'>;
  readonly latestEvents: Pick<LatestEvents, 'record'>;
  readonly metrics: Pick<Metrics, 'messages'>;
  readonly frozen: Frozen;
  readonly loops: AgentLoops;
  readonly onInboxItems?: (agentIds: readonly string[]) => void;
}) {
  const { store, bus, cache, publisher, latestEvents, metrics, frozen, loops } = deps;

  /** This hub's rooms get the event immediately. It is sent to other hubs in the same turn of the event loop. */
  function publish(event: EncodedEnvelope, agentTopics: readonly string[]): void {
    const { channelId, type, seq } = event;
    if (channelId === null) return;
    if (type === 'channel.message' || type === 'thread.message') metrics.messages.inc();
    latestEvents.record(event);
    cache.invalidateFor(type, channelId, seq);
    const outdated = cache.invalidates(type, channelId);
    const targets = { channel: !isDirectChannelId(channelId), agents: agentTopics };
    bus.publish(event, targets, outdated, cache.keysOf(channelId)).catch(publisher.countFailure);
  }

  function frozenScope({ kind, agentId }: Pick<Actor, 'kind' | 'agentId'>): 'hub' | 'agent' | null {
    if (kind !== 'agent') return null;
    if (frozen.hub) return 'hub';
    return frozen.agents.has(agentId) ? 'agent' : null;
  }

  /**
   * Returns the actor with the transport, the freeze that covers it, and the agents that it may not address because of
   * a loop.
   */
  function actingNow(actor: Actor, via: Transport): Actor {
    const scope = frozenScope(actor);
    const paused = actor.kind === 'agent' ? loops.paused.get(actor.agentId) : undefined;
    return { ...actor, via, ...(scope && { frozen: scope }), ...(paused && { loops: paused }) };
  }

  function publishAppended({ event, agentTopics, inboxes }: AppendedEvent): void {
    publish(event, agentTopics);
    if (inboxes) deps.onInboxItems?.(inboxes);
  }

  return {
    /**
     * Commits a change, then publishes its events. Resolves after the commit. A failed publish does not fail the call,
     * because other hubs find the events in the log.
     */
    async write<M extends WriteMethod>(
      caller: Caller,
      method: M,
      params: ParamsOf<M>,
      actor: Actor = caller.identity,
    ): Promise<Answer<M>> {
      const outcome = await store.append(actingNow(actor, caller.transport), method, params);
      if (!outcome.ok) return outcome;
      for (const appended of outcome.events) {
        const { announcement } = appended;
        publishAppended(appended);
        if (announcement) publisher.announce(announcement, caller.identity);
      }
      const [first] = outcome.events;
      if (outcome.addressed && first) {
        const isStreamEnd = method === 'message.finish';
        loops.committed(actor.agentId, outcome.addressed, first.event.timestamp, isStreamEnd);
      }
      if (outcome.globalEvent) {
        const { name, payload } = outcome.globalEvent;
        const event = { type: 'collaboration.event', channelId: null, name } as const;
        publisher.publishGlobal({ ...event, payload: payload as JsonObject }, caller.identity);
      }
      return { ok: true, result: outcome.result };
    },
    publishAll(events: readonly AppendedEvent[]) {
      for (const appended of events) publishAppended(appended);
    },
    refuseFrozen(identity: Identity): Refusal | null {
      const scope = frozenScope(identity);
      return scope && refuseFrozen(scope);
    },
  };
}

export type Writer = ReturnType<typeof createWriter>;

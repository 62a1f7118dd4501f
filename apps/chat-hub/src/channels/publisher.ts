import { randomUUID } from 'node:crypto';
import type { ChatStore } from '@openclaw/chat-store';
import type { EventBus } from '@openclaw/events';
import {
  encodeEnvelope,
  isDirectChannelId,
  type EncodedEnvelope,
  type EventOf,
  type SenderKind,
} from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { HubCache } from '../methods/hub.ts';
import type { Metrics } from '../observe/metrics.ts';

/** The kind of an event's sender, as far as this hub knows it. */
export type KindOf = (senderId: string) => SenderKind | null;

/** How events leave this hub: to its own rooms at once and, in the same breath, to Redis for the other hubs. */
export interface Publisher {
  /** A committed event. `agentTopics` are the agents whose own topic gets it too. Never fails: the log has it. */
  committed(event: EncodedEnvelope, agentTopics: readonly string[]): void;
  /** A presence or typing event of a channel: at most once, not logged. */
  ephemeral(event: EventOf<'channel.typing'> | EventOf<'channel.presence'>, senderId: string): void;
  /** An event to every connection of every hub. */
  global(event: EncodedEnvelope): void;
}

export interface PublisherDeps {
  readonly bus: EventBus;
  readonly cache: Pick<HubCache, 'outdatedBy' | 'keysOf' | 'noticed'>;
  readonly store: Pick<ChatStore, 'epoch'>;
  readonly kindOf: KindOf;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Called for each event that was committed here. */
  readonly onCommitted: (event: EncodedEnvelope) => void;
  /** The two agents of a direct channel. */
  readonly directMembers: (channelId: string) => Promise<readonly string[]>;
}

/** Creates the hub's publisher. */
export function createPublisher(deps: PublisherDeps): Publisher {
  const { bus, cache, store, kindOf, metrics, log } = deps;

  // Without Redis the other hubs find what is durable in the store; what is ephemeral stays on this hub.
  const missed = (error: unknown) => {
    metrics.publishFailures.inc();
    log.debug({ err: error }, 'an event did not reach Redis');
  };

  return {
    committed(event, agentTopics) {
      const { channelId, type, seq } = event;
      if (channelId === null) return;
      if (type === 'channel.message' || type === 'thread.message') metrics.messages.inc();
      deps.onCommitted(event);
      cache.noticed(type, channelId, seq);
      const outdated = cache.outdatedBy(type, channelId);
      const to = isDirectChannelId(channelId)
        ? { agents: agentTopics }
        : { channel: true as const, agents: agentTopics };
      bus.publish(event, to, outdated, cache.keysOf(channelId)).catch(missed);
    },
    ephemeral(event, senderId) {
      const encoded = encodeEnvelope({
        id: randomUUID(),
        event,
        timestamp: Date.now(),
        senderId,
        senderKind: kindOf(senderId),
        channelId: event.channelId,
        seq: null,
        epoch: store.epoch,
      });
      if (!isDirectChannelId(event.channelId)) {
        bus.publish(encoded, { channel: true }).catch(missed);
        return;
      }
      deps
        .directMembers(event.channelId)
        .then((agents) => bus.publish(encoded, { agents }))
        .catch(missed);
    },
    global(event) {
      bus.publish(event, { global: true }).catch(missed);
    },
  };
}

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
import type { Metrics } from '../observe/metrics.ts';
import type { HubCache } from './hub-cache.ts';

/** The kind of an event's sender, as far as this hub knows it. */
export type KindOf = (senderId: string) => SenderKind | null;

/** Publishes this hub's events: to its own rooms at once, and in the same turn to Redis for the other hubs. */
export interface Publisher {
  /** Publishes a committed event, also on the topics of these agents. Never fails: other hubs find it in the log. */
  publishDurable(event: EncodedEnvelope, agentTopics: readonly string[]): void;
  /** Publishes a typing or presence event of a channel. It is not logged: without Redis other hubs never get it. */
  publishEphemeral(
    event: EventOf<'channel.typing'> | EventOf<'channel.presence'>,
    senderId: string,
  ): void;
  /** Publishes an event to every connection of every hub. */
  publishGlobal(event: EncodedEnvelope): void;
}

export interface PublisherDeps {
  readonly bus: EventBus;
  readonly cache: Pick<HubCache, 'invalidates' | 'keysOf' | 'invalidateFor'>;
  readonly store: Pick<ChatStore, 'epoch'>;
  readonly kindOf: KindOf;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Called with each durable event. */
  readonly onCommitted: (event: EncodedEnvelope) => void;
  /** The two agents of a direct channel. */
  readonly directMembers: (channelId: string) => Promise<readonly string[]>;
}

/** Creates the hub's publisher. */
export function createPublisher(deps: PublisherDeps): Publisher {
  const { bus, cache, store, kindOf, metrics, log } = deps;

  const countFailure = (error: unknown) => {
    metrics.publishFailures.inc();
    log.debug({ err: error }, 'an event did not reach Redis');
  };

  return {
    publishDurable(event, agentTopics) {
      const { channelId, type, seq } = event;
      if (channelId === null) return;
      if (type === 'channel.message' || type === 'thread.message') metrics.messages.inc();
      deps.onCommitted(event);
      cache.invalidateFor(type, channelId, seq);
      const outdated = cache.invalidates(type, channelId);
      const targets = { channel: !isDirectChannelId(channelId), agents: agentTopics };
      bus.publish(event, targets, outdated, cache.keysOf(channelId)).catch(countFailure);
    },
    publishEphemeral(event, senderId) {
      const { channelId } = event;
      const encoded = encodeEnvelope({
        id: randomUUID(),
        event,
        timestamp: Date.now(),
        senderId,
        senderKind: kindOf(senderId),
        channelId,
        seq: null,
        epoch: store.epoch,
      });
      if (!isDirectChannelId(channelId)) {
        bus.publish(encoded, { channel: true }).catch(countFailure);
        return;
      }
      deps
        .directMembers(channelId)
        .then((agents) => bus.publish(encoded, { agents }))
        .catch(countFailure);
    },
    publishGlobal(event) {
      bus.publish(event, { global: true }).catch(countFailure);
    },
  };
}

/**
 * Drops the cached pages of channels whose events came from the store, with one pipeline a turn. While Redis is away it
 * does nothing, as cached pages are compared with the log's head before they are served.
 */
export function createCacheDropper(
  cache: Pick<HubCache, 'drop'>,
  log: Logger,
): (channelId: string, head: number) => void {
  let heads = new Map<string, number>();
  function drop(): void {
    const channels = [...heads].map(([channelId, head]) => ({ channelId, head }));
    heads = new Map();
    cache
      .drop(channels)
      .catch((error: unknown) => log.debug({ err: error }, 'caches were not dropped'));
  }
  return (channelId, head) => {
    if (heads.size === 0) setImmediate(drop);
    heads.set(channelId, head);
  };
}

import type { KeySchema, RedisKey, TopicName } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { EventsError } from './errors.ts';
import type { EventBus, EventHandler, PublishTargets, Unsubscribe } from './event-bus.ts';
import { namedTopics } from './named-topics.ts';
import type { Reporter } from './reporter.ts';
import { Topics } from './topics.ts';
import type { Transport } from './transport.ts';

/** What every bus is made of; the transports differ. */
export interface BusParts {
  readonly keys: KeySchema;
  readonly transport: Transport;
  readonly reporter: Reporter;
}

/** Makes a bus: handlers here are called directly, those elsewhere through the transport. */
export function createBus({ keys, transport, reporter }: BusParts): EventBus {
  let published = 0;
  let failed = 0;
  let received = 0;
  let handlerErrors = 0;
  let closing: Promise<void> | null = null;

  const topics = new Topics(
    (name) =>
      transport.listen(name, (event, topic) => {
        received += 1;
        topics.dispatch(name, event, topic);
      }),
    (error, topic) => {
      handlerErrors += 1;
      reporter.report('a handler of an event failed', { err: error, topic });
    },
  );

  function assertOpen(): void {
    if (closing !== null) throw new EventsError('closed', 'the bus is closed');
  }

  function send(
    event: EncodedEnvelope,
    to: PublishTargets,
    outdated: readonly RedisKey[],
    outdatedByGap: readonly RedisKey[],
  ): Promise<void> {
    assertOpen();
    if (event.channelId === null && outdated.length > 0) {
      throw new EventsError('invalid_event', 'an event without a channel outdates no cache');
    }
    const targets = namedTopics(keys, event, to);
    const sent = transport.send({ event, topics: targets, outdated, outdatedByGap });
    for (const { name, topic } of targets) {
      topics.dispatch(name, event, topic);
      if (topic.kind === 'channel') topics.dispatch(keys.channelPattern, event, topic);
    }
    return sent;
  }

  async function subscribe(name: () => TopicName, handler: EventHandler): Promise<Unsubscribe> {
    assertOpen();
    return topics.subscribe(name(), handler);
  }

  async function close(): Promise<void> {
    await transport.idle();
    await Promise.all([topics.close(), transport.close()]);
  }

  return {
    publish(event, to, outdated = [], outdatedByGap = []) {
      // Not an async function: the caller gets the very promise that is handled below, and may ignore it.
      const sent = new Promise<void>((resolve) =>
        resolve(send(event, to, outdated, outdatedByGap)),
      );
      sent.then(
        () => (published += 1),
        (error: unknown) => {
          failed += 1;
          // Without a Redis from the beginning this is no news with each event.
          if (closing !== null || !transport.wasAvailable) return;
          reporter.report('an event was not published', { err: error });
        },
      );
      return sent;
    },
    subscribeChannel: (channelId, handler) =>
      subscribe(() => keys.channelTopic(channelId), handler),
    subscribeAgent: (agentId, handler) => subscribe(() => keys.agentTopic(agentId), handler),
    subscribeGlobal: (handler) => subscribe(() => keys.globalTopic, handler),
    subscribeAllChannels: (handler) => subscribe(() => keys.channelPattern, handler),
    async nextSeq(channelId) {
      assertOpen();
      return transport.nextSeq(channelId);
    },
    async probe(timeoutMs) {
      assertOpen();
      return transport.probe(timeoutMs);
    },
    onResubscribed: (listener) => transport.onResubscribed(listener),
    get available() {
      return closing === null && transport.available;
    },
    get stats() {
      return {
        published,
        failed,
        received,
        handlerErrors,
        topics: topics.size,
        ...transport.stats,
      };
    },
    close: () => (closing ??= close()),
  };
}

import type { KeySchema, RedisKey, Topic, TopicName } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { EventsError } from './errors.ts';
import type {
  EventBus,
  EventHandler,
  ProbeResult,
  PublishTargets,
  Unsubscribe,
} from './event-bus.ts';
import type { Reporter } from './reporter.ts';
import { namedTopics, Topics, type NamedTopic } from './topics.ts';

/** One publish: the event, its topics, and the cache keys to delete. */
export interface Publication {
  readonly event: EncodedEnvelope;
  readonly topics: readonly NamedTopic[];
  readonly invalidates: readonly RedisKey[];
  /** Deleted too when events before this one were never published. */
  readonly invalidatesOnGap: readonly RedisKey[];
}

/** Carries events between processes. The bus itself calls the handlers of this process. */
export interface Transport {
  /** Resolves when all of it was taken. @throws {EventsError} `unavailable` */
  send(publication: Publication): Promise<void>;
  /**
   * Receives what other processes publish on a topic, or on all topics that match a pattern; never what this process
   * published. Resolves with the function that ends it.
   */
  listen(
    name: TopicName,
    onEvent: (event: EncodedEnvelope, topic: Topic) => void,
  ): Promise<() => Promise<void>>;
  nextSeq(channelId: string): Promise<number>;
  /** See {@link EventBus.probe}. */
  probe(timeoutMs: number): Promise<ProbeResult>;
  onResubscribed(listener: () => void): () => void;
  readonly available: boolean;
  /** False while it has never been available, which the Redis client reports. */
  readonly wasAvailable: boolean;
  readonly stats: { readonly pending: number; readonly echoes: number; readonly malformed: number };
  /** Resolves when nothing waits to be sent or answered. */
  idle(): Promise<void>;
  /** Frees what the transport itself opened; what `listen` resolved with ends the topics. */
  close(): Promise<void>;
}

/** The parts of a bus; only the transports differ. */
export interface BusParts {
  readonly keys: KeySchema;
  readonly transport: Transport;
  readonly reporter: Reporter;
}

/** Creates a bus that calls handlers of this process directly and reaches others through the transport. */
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
    invalidates: readonly RedisKey[],
    invalidatesOnGap: readonly RedisKey[],
  ): Promise<void> {
    assertOpen();
    if (event.channelId === null && invalidates.length > 0) {
      throw new EventsError('invalid_event', 'an event without a channel invalidates no cache');
    }
    const targets = namedTopics(keys, event, to);
    const sent = transport.send({ event, topics: targets, invalidates, invalidatesOnGap });
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
    publish(event, to, invalidates = [], invalidatesOnGap = []) {
      // Not an async function, which would return another promise than the one that is handled below.
      const sent = new Promise<void>((resolve) =>
        resolve(send(event, to, invalidates, invalidatesOnGap)),
      );
      sent.then(
        () => (published += 1),
        (error: unknown) => {
          failed += 1;
          // The client has already reported a Redis that was never there.
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

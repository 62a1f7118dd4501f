import type { KeySchema, RedisKey, Topic, TopicName } from '@openclaw/key-schema';
import { type EncodedEnvelope, eventTypes, isDurable, isId } from '@openclaw/protocol';
import type { createThrottledWarn } from '@openclaw/redis-client';
import { EventsError } from './errors.ts';
import type {
  EventBus,
  EventHandler,
  ProbeResult,
  PublishTargets,
  Unsubscribe,
} from './event-bus.ts';

interface NamedTopic {
  readonly name: TopicName;
  readonly topic: Topic;
}

interface Publication {
  readonly event: EncodedEnvelope;
  readonly topics: readonly NamedTopic[];
  readonly invalidates: readonly RedisKey[];
  /** These keys are deleted too if earlier events of the channel were never published. */
  readonly invalidatesOnGap: readonly RedisKey[];
}

export interface Transport {
  /**
   * Resolves when Redis accepted the event on all topics.
   * @throws {EventsError} `unavailable`
   */
  send(publication: Publication): Promise<void>;
  /**
   * Receives the events of other processes on a topic or pattern. Resolves with a function that ends the subscription.
   */
  listen(
    name: TopicName,
    onEvent: (event: EncodedEnvelope, topic: Topic) => void,
  ): Promise<() => Promise<void>>;
  nextSeq(channelId: string): Promise<number>;
  probe(timeoutMs: number): Promise<ProbeResult>;
  onResubscribed(listener: () => void): () => void;
  readonly available: boolean;
  /** False until Redis is available for the first time. Until then, only the Redis client reports the outage. */
  readonly wasAvailable: boolean;
  readonly stats: { readonly pending: number; readonly echoes: number; readonly malformed: number };
  /** Resolves when no publish waits to be sent or answered. */
  idle(): Promise<void>;
  /** Does not end subscriptions; the functions of `listen` do. */
  close(): Promise<void>;
}

interface HandlerEntry {
  readonly handler: EventHandler;
  readonly number: number;
}

/**
 * The handlers of one topic share one subscription. The subscription ends when the last handler is removed. A function
 * may be added twice.
 */
interface Subscribed {
  readonly handlers: Set<HandlerEntry>;
  readonly end: Promise<() => Promise<void>>;
}

/** Creates a bus that calls local handlers directly and reaches other processes through the transport. */
export function createBus(
  keys: KeySchema,
  transport: Transport,
  warn: ReturnType<typeof createThrottledWarn>,
): EventBus {
  const topics = new Map<TopicName, Subscribed>();
  let added = 0;
  let published = 0;
  let failed = 0;
  let received = 0;
  let handlerErrors = 0;
  let closing: Promise<void> | null = null;

  function assertOpen(): void {
    if (closing !== null) throw new EventsError('closed', 'the bus is closed');
  }

  function onHandlerError(error: unknown, topic: Topic): void {
    handlerErrors += 1;
    warn({ err: error, topic }, 'a handler of an event failed');
  }

  /**
   * Calls the handlers of the topic. A handler that is added meanwhile gets only later events. A handler that is
   * removed meanwhile is not called.
   */
  function dispatch(name: TopicName, event: EncodedEnvelope, topic: Topic): void {
    const last = added;
    for (const { handler, number } of topics.get(name)?.handlers ?? []) {
      if (number > last) return;
      try {
        // TypeScript accepts an async function as an EventHandler. Its rejection must not end the process.
        const result: unknown = handler(event, topic);
        if (result instanceof Promise) {
          result.catch((error: unknown) => onHandlerError(error, topic));
        }
      } catch (error) {
        onHandlerError(error, topic);
      }
    }
  }

  function send(
    event: EncodedEnvelope,
    to: PublishTargets,
    invalidates: readonly RedisKey[],
    invalidatesOnGap: readonly RedisKey[],
  ): Promise<void> {
    assertOpen();
    checkEvent(event);
    if (event.channelId === null && invalidates.length > 0) {
      throw new EventsError('invalid_event', 'an event without a channel invalidates no cache');
    }
    const targets = namedTopics(keys, event, to);
    const sent = transport.send({ event, topics: targets, invalidates, invalidatesOnGap });
    for (const { name, topic } of targets) {
      dispatch(name, event, topic);
      if (topic.kind === 'channel') dispatch(keys.channelPattern, event, topic);
    }
    return sent;
  }

  function open(name: TopicName): Subscribed {
    const end = transport.listen(name, (event, topic) => {
      received += 1;
      dispatch(name, event, topic);
    });
    const subscribed = { handlers: new Set<HandlerEntry>(), end };
    topics.set(name, subscribed);
    return subscribed;
  }

  /** Resolves when the topic is subscribed. On failure, removes the handler and rejects. */
  async function subscribe(nameOf: () => TopicName, handler: EventHandler): Promise<Unsubscribe> {
    assertOpen();
    const name = named(nameOf);
    const { handlers, end } = topics.get(name) ?? open(name);
    const entry = { handler, number: (added += 1) };
    handlers.add(entry);
    const remove = () => handlers.delete(entry) && handlers.size === 0 && topics.delete(name);
    try {
      await end;
    } catch (error) {
      remove();
      throw error;
    }
    return async () => {
      if (remove()) await (await end)();
    };
  }

  async function close(): Promise<void> {
    await transport.idle();
    const ends = [...topics.values()].map(async ({ end }) => (await end)());
    topics.clear();
    await Promise.all([Promise.allSettled(ends), transport.close()]);
  }

  return {
    publish(event, to, invalidates = [], invalidatesOnGap = []) {
      // The rejection is handled below, so a caller may ignore the promise. An async function would return another
      // promise, whose rejection nobody handles.
      const sent = new Promise<void>((resolve) =>
        resolve(send(event, to, invalidates, invalidatesOnGap)),
      );
      sent.then(
        () => (published += 1),
        (error: unknown) => {
          failed += 1;
          if (closing !== null || !transport.wasAvailable) return;
          warn({ err: error }, 'an event was not published');
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
      named(() => keys.sequence(channelId));
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

function named<Name>(make: () => Name): Name {
  try {
    return make();
  } catch (cause) {
    throw new EventsError('invalid_event', 'the id cannot be part of a name in Redis', cause);
  }
}

/** @throws {EventsError} `invalid_event` */
function namedTopics(
  keys: KeySchema,
  { channelId }: EncodedEnvelope,
  to: PublishTargets,
): NamedTopic[] {
  if (typeof to !== 'object' || to === null) {
    throw new EventsError('invalid_event', 'the topics to publish on are missing');
  }
  const topics: NamedTopic[] = [];
  try {
    // Checks the channelId even if the event goes only to agents, because every durable event raises its channel's seq.
    const name = channelId === null ? null : keys.channelTopic(channelId);
    for (const agentId of new Set(to.agents)) {
      topics.push({ name: keys.agentTopic(agentId), topic: { kind: 'agent', agentId } });
    }
    // The channel comes last: handlers of agents' topics must run before the event changes the channel's members.
    if (to.channel === true) {
      if (channelId === null || name === null)
        throw new Error('an event without a channel has no channel topic');
      topics.push({ name, topic: { kind: 'channel', channelId } });
    }
  } catch (cause) {
    throw new EventsError('invalid_event', 'the event cannot be published on these topics', cause);
  }
  if (to.global === true) topics.push({ name: keys.globalTopic, topic: { kind: 'global' } });
  return topics;
}

const isLogged = new Map<unknown, boolean>(eventTypes.map((type) => [type, isDurable(type)]));

/**
 * Refuses events that receivers would drop as malformed, so local handlers never get an event that other processes
 * drop.
 * @throws {EventsError} `invalid_event`
 */
function checkEvent(event: EncodedEnvelope): void {
  const problem = problemOf(event);
  if (problem !== null) throw new EventsError('invalid_event', problem);
}

function problemOf(event: unknown): string | null {
  if (typeof event !== 'object' || event === null) return 'there is no event';
  const { json, id, type, channelId, seq } = event as Record<keyof EncodedEnvelope, unknown>;
  if (typeof json !== 'string') return 'the event has no JSON: encode it with encodeEnvelope';
  if (!isId(id)) return 'the id of the event is not valid';
  if (!json.startsWith(`{"id":"${id}",`)) return 'the JSON of the event does not begin with its id';
  if (!isLogged.has(type)) return 'the type of the event is unknown';
  if (channelId !== null && !isId(channelId)) return 'the channelId of the event is not valid';
  if (channelId === null && type !== 'collaboration.event') return 'the event has no channelId';
  // Some collaboration events are ephemeral, depending on their name. Only the JSON has the name, so a missing seq is
  // accepted for every collaboration event.
  if (type === 'collaboration.event' && seq === null) return null;
  if (channelId === null || !isLogged.get(type))
    return seq === null ? null : `a ${String(type)} here has no seq`;
  return Number.isSafeInteger(seq) && (seq as number) > 0
    ? null
    : `the seq of a ${String(type)} is a positive integer`;
}

import type { KeySchema, Topic, TopicName } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { EventsError } from './errors.ts';
import type { EventHandler, PublishTargets, Unsubscribe } from './event-bus.ts';

/** A topic and its name in Redis. */
export interface NamedTopic {
  readonly name: TopicName;
  readonly topic: Topic;
}

/** The topics that an event is published on. @throws {EventsError} `invalid_event` */
export function namedTopics(
  keys: KeySchema,
  { channelId }: EncodedEnvelope,
  to: PublishTargets,
): NamedTopic[] {
  const topics: NamedTopic[] = [];
  try {
    // Checked even if the event is not published there, as a durable event raises its channel's seq in any case.
    const name = channelId === null ? null : keys.channelTopic(channelId);
    for (const agentId of new Set(to.agents)) {
      topics.push({ name: keys.agentTopic(agentId), topic: { kind: 'agent', agentId } });
    }
    // After the agents' topics, so that their handlers run before the event changes who is in the channel.
    if (to.channel === true) {
      if (channelId === null || name === null) throw new Error('it belongs to no channel');
      topics.push({ name, topic: { kind: 'channel', channelId } });
    }
  } catch (cause) {
    throw new EventsError('invalid_event', 'the event cannot be published there', { cause });
  }
  if (to.global === true) topics.push({ name: keys.globalTopic, topic: { kind: 'global' } });
  return topics;
}

/** Subscribes a topic at the transport. Resolves with the function that ends the subscription. */
export type SubscribeTopic = (name: TopicName) => Promise<() => Promise<void>>;

type OnHandlerError = (error: unknown, topic: Topic) => void;

interface Subscribed {
  readonly handlers: HandlerSet;
  readonly end: ReturnType<SubscribeTopic>;
}

/** The handlers of each topic. A topic is subscribed once, while it has any handler. */
export class Topics {
  readonly #topics = new Map<TopicName, Subscribed>();
  readonly #subscribe: SubscribeTopic;
  readonly #onError: OnHandlerError;

  constructor(subscribe: SubscribeTopic, onError: OnHandlerError) {
    this.#subscribe = subscribe;
    this.#onError = onError;
  }

  /** How many topics have a handler. */
  get size(): number {
    return this.#topics.size;
  }

  /** Adds the handler at once. Resolves when the topic is subscribed, or rejects and removes the handler. */
  async subscribe(name: TopicName, handler: EventHandler): Promise<Unsubscribe> {
    const { handlers, end } = this.#topics.get(name) ?? this.#open(name);
    const removeHandler = handlers.add(handler);
    /** Returns true when the handler was the topic's last. */
    const remove = () => removeHandler() && handlers.size === 0 && this.#topics.delete(name);
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

  #open(name: TopicName): Subscribed {
    const topic = { handlers: new HandlerSet(this.#onError), end: this.#subscribe(name) };
    this.#topics.set(name, topic);
    return topic;
  }

  /** Calls the topic's handlers. */
  dispatch(name: TopicName, event: EncodedEnvelope, topic: Topic): void {
    this.#topics.get(name)?.handlers.dispatch(event, topic);
  }

  /** Removes all handlers and ends all subscriptions. */
  async close(): Promise<void> {
    const topics = [...this.#topics.values()];
    this.#topics.clear();
    await Promise.allSettled(topics.map(async ({ end }) => (await end)()));
  }
}

/** The handlers of one topic; the same function may be added several times. */
class HandlerSet {
  readonly #entries = new Set<{ readonly handler: EventHandler; readonly number: number }>();
  readonly #onError: OnHandlerError;
  #added = 0;

  constructor(onError: OnHandlerError) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Adds a handler. The returned function removes it, and returns false when it was removed before. */
  add(handler: EventHandler): () => boolean {
    this.#added += 1;
    const entry = { handler, number: this.#added };
    this.#entries.add(entry);
    return () => this.#entries.delete(entry);
  }

  /** Calls the handlers. One that is added meanwhile waits for the next event; one that is removed is not called. */
  dispatch(event: EncodedEnvelope, topic: Topic): void {
    const last = this.#added;
    for (const { handler, number } of this.#entries) {
      if (number > last) return;
      try {
        // An async function is assignable to EventHandler: its rejection must not end the process.
        const result: unknown = handler(event, topic);
        if (result instanceof Promise)
          result.catch((error: unknown) => this.#onError(error, topic));
      } catch (error) {
        this.#onError(error, topic);
      }
    }
  }
}

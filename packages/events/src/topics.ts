import type { Topic, TopicName } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import type { EventHandler, Unsubscribe } from './event-bus.ts';
import { HandlerSet } from './handler-set.ts';

/** Brings the messages of a topic here, until the function it resolves with is called. */
export type Link = (name: TopicName) => Promise<() => Promise<void>>;

interface Line {
  readonly handlers: HandlerSet;
  readonly linked: ReturnType<Link>;
}

/** Handlers by topic; a topic is linked while it has any, and once however many they are. */
export class Topics {
  readonly #lines = new Map<TopicName, Line>();
  readonly #link: Link;
  readonly #onError: (error: unknown, topic: Topic) => void;

  constructor(link: Link, onError: (error: unknown, topic: Topic) => void) {
    this.#link = link;
    this.#onError = onError;
  }

  /** How many topics have a handler. */
  get size(): number {
    return this.#lines.size;
  }

  /** Adds the handler at once; resolves when the link stands, or rejects and keeps nothing when it could not be made. */
  async subscribe(name: TopicName, handler: EventHandler): Promise<Unsubscribe> {
    const { handlers, linked } = this.#lines.get(name) ?? this.#open(name);
    const remove = handlers.add(handler);
    /** Removes the handler; true when it was the last and the topic is forgotten with it. */
    const leave = () => remove() && handlers.size === 0 && this.#lines.delete(name);
    try {
      await linked;
    } catch (error) {
      leave();
      throw error;
    }
    return async () => {
      if (leave()) await (await linked)();
    };
  }

  #open(name: TopicName): Line {
    const line = { handlers: new HandlerSet(this.#onError), linked: this.#link(name) };
    this.#lines.set(name, line);
    return line;
  }

  /** Calls the topic's handlers. */
  dispatch(name: TopicName, event: EncodedEnvelope, topic: Topic): void {
    this.#lines.get(name)?.handlers.dispatch(event, topic);
  }

  /** Forgets all handlers and ends all links. */
  async close(): Promise<void> {
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    await Promise.allSettled(lines.map(async ({ linked }) => (await linked)()));
  }
}

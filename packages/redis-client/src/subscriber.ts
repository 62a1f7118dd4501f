import type { TopicName } from '@openclaw/key-schema';
import { RedisClientError } from './errors.ts';
import { startSubscriberHeartbeat } from './heartbeat.ts';
import { createListeners } from './listeners.ts';
import type { Logger } from './logger.ts';
import type { ClientSettings } from './options.ts';
import { createRefusedSubscriptions } from './refused-subscriptions.ts';
import {
  createSubscriptionSet,
  type HandlerEntry,
  type SubscriptionSet,
  syncSubscriptions,
  type SyncResult,
} from './subscription-set.ts';
import type {
  ConnectionEvents,
  OnMessage,
  SubscriberTransport,
  SubscriptionKind,
} from './transport.ts';

/** Called for each message, synchronously and in Redis' order. An error it throws is logged. */
export type MessageHandler = (message: string, topic: string) => void;

/** Subscriptions that outlive their connection. Each new connection is subscribed to all of them again. */
export interface RedisSubscriber {
  /**
   * Resolves when Redis confirmed. While Redis is away it resolves at once, and takes effect with the next connection.
   * A topic may have many handlers (the same function twice counts twice). The returned function removes this handler.
   * If it was the topic's last one, the function resolves when Redis has confirmed that.
   * @throws {RedisClientError} `rejected` (Redis refuses this topic; nothing is kept), `closed`
   */
  subscribe(topic: TopicName, handler: MessageHandler): Promise<() => Promise<void>>;
  /**
   * As {@link RedisSubscriber.subscribe} for every topic that matches the pattern.
   * @throws {RedisClientError} `unsupported` on Cluster, whose sharded pub/sub has no patterns
   */
  subscribePattern(pattern: TopicName, handler: MessageHandler): Promise<() => Promise<void>>;
  /**
   * Listens for the end of a gap: the connection was lost, and now every topic is subscribed again. Messages of that
   * time are lost, so a caller that needs them reads its store now. The returned function removes the listener.
   */
  onResubscribed(listener: () => void): () => void;
  /** Replaces a connection that answers but brings no messages. Does nothing while there is no connection. */
  reconnect(): void;
  /** True while the connection is up and every topic is confirmed on it. */
  readonly connected: boolean;
}

type Refused = ReadonlyMap<string, RedisClientError>;

export interface OwnedSubscriber extends RedisSubscriber {
  readonly topics: number;
  readonly unconfirmed: number;
  readonly reconnects: number;
  close(): Promise<void>;
}

export interface SubscriberDeps {
  readonly open: (events: ConnectionEvents, onMessage: OnMessage) => SubscriberTransport;
  readonly logger: Logger;
  readonly settings: ClientSettings;
}

/**
 * Sends the registered subscriptions to the server: on every connection, after every change, and by retries (0.5 s
 * doubling to 30 s) of those that the server refused, because an ACL may allow them again.
 */
export function createSubscriber({ open, logger, settings }: SubscriberDeps): OwnedSubscriber {
  const sets = { topic: createSubscriptionSet('topic'), pattern: createSubscriptionSet('pattern') };
  const reportThrow = (error: unknown) =>
    logger.error({ err: error }, 'a subscription handler threw');
  const resubscribed = createListeners<[]>(reportThrow);
  const refusals = createRefusedSubscriptions(() => void flushSoon(), {
    logger,
    random: settings.random,
  });
  /** Handlers whose `subscribe` has resolved. If Redis refuses their topic later, that is logged. */
  const accepted = new WeakSet<HandlerEntry>();
  let flush: Promise<Refused> | undefined;
  const flushes = new Set<Promise<Refused>>();
  let connection = 0;
  let isClosed = false;
  /** True when messages may have been missed since the last call of the `onResubscribed` listeners. */
  let hasGap = false;

  /** Sends the changes of this turn of the event loop. Resolves with the names that Redis refused. */
  function flushSoon(): Promise<Refused> {
    if (flush) return flush;
    const started = Promise.resolve().then(() => {
      flush = undefined;
      return sync();
    });
    flush = started;
    flushes.add(started);
    void started.finally(() => flushes.delete(started));
    return started;
  }

  async function sync(): Promise<Refused> {
    if (isClosed || !transport.ready) return new Map();
    const onConnection = connection;
    const isRepair = hasGap || refusals.any;
    const results = await Promise.all([syncEach(sets.topic), syncEach(sets.pattern)]);
    // The next connection runs its own sync.
    if (isClosed || onConnection !== connection) return new Map();
    const refused: Refused = new Map(results.flatMap((result) => [...result.refused]));
    const isIncomplete = results.some((result) => result.isIncomplete);
    const confirmed = results.reduce((sum, result) => sum + result.confirmed, 0);
    refusals.keep((name) => refused.has(name) || isUnconfirmed(name));
    if (refused.size > 0 || isIncomplete) refusals.scheduleRetry();
    else refusals.resetPause();
    if (isIncomplete) hasGap = true;
    else if (hasGap || (isRepair && confirmed > 0)) {
      hasGap = false;
      resubscribed.emit();
    }
    return refused;
  }

  async function syncEach(set: SubscriptionSet): Promise<SyncResult> {
    const result = await syncSubscriptions(transport, set);
    for (const [name, error] of result.refused) {
      // A caller that still waits in `subscribe` gets the error instead.
      if (set.handlers(name).some((entry) => accepted.has(entry))) refusals.report(name, error);
    }
    return result;
  }

  function isUnconfirmed(name: string): boolean {
    return Object.values(sets).some(
      (set) => set.handlers(name).length > 0 && !set.isConfirmed(name),
    );
  }

  async function subscribe(kind: SubscriptionKind, name: string, handle: MessageHandler) {
    const closed = () => new RedisClientError('closed', 'the Redis client is closed');
    if (isClosed) throw closed();
    const set = sets[kind];
    const entry: HandlerEntry = { handle };
    set.add(name, entry);
    const remove = async () => {
      if (!set.remove(name, entry) || set.handlers(name).length > 0 || isClosed) return;
      await flushSoon();
    };
    if (!transport.ready) {
      hasGap = true;
    } else if (!set.isConfirmed(name)) {
      // Another call may already have sent SUBSCRIBE for the same topic.
      const outcomes = await Promise.all([flushSoon(), ...flushes]);
      const refusal = outcomes.map((refused) => refused.get(name)).find(Boolean);
      if (isClosed) throw closed();
      if (refusal) {
        await remove();
        throw refusal;
      }
    }
    accepted.add(entry);
    return remove;
  }

  const transport = open(
    {
      onReady() {
        connection += 1;
        refusals.resetPause();
        for (const set of Object.values(sets)) set.reset();
        void flushSoon();
      },
      onDown() {
        connection += 1;
        hasGap = true;
        for (const set of Object.values(sets)) set.reset();
      },
      // The command connection has the same errors and logs them.
      onError() {},
    },
    (kind, name, topic, message) => {
      for (const { handle } of sets[kind].handlers(name)) {
        // ioredis would throw the error again where nobody can catch it, which ends the process.
        try {
          handle(message, topic);
        } catch (error) {
          reportThrow(error);
        }
      }
    },
  );
  const heartbeat = startSubscriberHeartbeat(transport, settings, logger);
  const countUnconfirmed = () => sets.topic.countUnconfirmed() + sets.pattern.countUnconfirmed();

  return {
    subscribe: (topic, handler) => subscribe('topic', topic, handler),
    async subscribePattern(pattern, handler) {
      if (!transport.supportsPatterns) {
        throw new RedisClientError('unsupported', 'Redis Cluster has no pattern subscription');
      }
      return subscribe('pattern', pattern, handler);
    },
    onResubscribed: (listener) => resubscribed.add(listener),
    reconnect() {
      if (transport.ready) transport.dropAll();
    },
    get connected() {
      return transport.ready && countUnconfirmed() === 0;
    },
    get topics() {
      return sets.topic.size + sets.pattern.size;
    },
    get unconfirmed() {
      return countUnconfirmed();
    },
    get reconnects() {
      return transport.reconnects;
    },
    async close() {
      isClosed = true;
      refusals.stop();
      heartbeat.stop();
      await transport.close();
    },
  };
}

import type { TopicName } from '@openclaw/key-schema';
import { closedError, isOutage, RedisClientError, toClientError } from './errors.ts';
import { startSubscriberHeartbeat } from './heartbeat.ts';
import { createListeners } from './listeners.ts';
import type { Logger } from './logger.ts';
import type { ClientSettings } from './options.ts';
import { createRefusedSubscriptions } from './refused-subscriptions.ts';
import {
  createSubscriptionSet,
  type HandlerEntry,
  type MessageHandler,
  type SentSubscribe,
  type SubscriptionSet,
} from './subscription-set.ts';
import type {
  ConnectionEvents,
  OnMessage,
  SubscriberTransport,
  SubscriptionKind,
} from './transport.ts';

export interface RedisSubscriber {
  /**
   * Resolves when Redis has confirmed the subscription. While Redis is away, the call resolves at once, and the
   * subscription starts with the next connection. A topic may have many handlers (the same function twice counts
   * twice). The returned function removes this handler. If no other handler is left, it waits until Redis has confirmed
   * the end of the subscription.
   * @throws {RedisClientError} `rejected` (Redis refuses this topic; nothing is kept), `closed`
   */
  subscribe(topic: TopicName, handler: MessageHandler): Promise<() => Promise<void>>;
  /**
   * Subscribes to every topic that matches the pattern.
   * @throws {RedisClientError} `unsupported` on Cluster, whose sharded pub/sub has no patterns
   */
  subscribePattern(pattern: TopicName, handler: MessageHandler): Promise<() => Promise<void>>;
  /**
   * Called when every topic is subscribed again after a lost connection. Messages that were published in between are
   * lost. The returned function removes the listener.
   */
  onResubscribed(listener: () => void): () => void;
  /** Replaces a connection that answers but delivers no messages. Does nothing while there is no connection. */
  reconnect(): void;
  /** True when the connection is up, and Redis has confirmed every topic on it. */
  readonly connected: boolean;
}

type Refused = Map<string, RedisClientError>;

export type OwnedSubscriber = ReturnType<typeof createSubscriber>;

/**
 * Sends the registered subscriptions on every connection and after every change. Refused subscriptions are retried
 * (after 0.5 s, doubling to 30 s), because an ACL may allow them later.
 */
export function createSubscriber(
  open: (events: ConnectionEvents, onMessage: OnMessage) => SubscriberTransport,
  settings: ClientSettings,
  logger: Logger,
) {
  const sets = { topic: createSubscriptionSet('topic'), pattern: createSubscriptionSet('pattern') };
  const allSets = Object.values(sets);
  const reportThrow = (error: unknown) =>
    logger.error({ err: error }, 'a subscription handler threw');
  const resubscribed = createListeners<[]>(reportThrow);
  const refusals = createRefusedSubscriptions(() => void flushSoon(), settings.random, logger);
  let flush: Promise<Refused> | undefined;
  const flushes = new Set<Promise<Refused>>();
  let connection = 0;
  let isClosed = false;
  /** Messages may have been missed since `onResubscribed` was last called. */
  let hasGap = false;

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
    const outcome: SyncOutcome = { confirmed: 0, isIncomplete: false, refused: new Map() };
    await Promise.all(allSets.map((set) => sendChanges(transport, set, outcome)));
    const { confirmed, isIncomplete, refused } = outcome;
    for (const [name, error] of refused) {
      // If a caller still waits in `subscribe`, it gets the error, so nothing is reported.
      const isAccepted = allSets.some((set) =>
        set.handlers(name).some((entry) => entry.isAccepted),
      );
      if (isAccepted) refusals.report(name, error);
    }
    // The next connection sends all subscriptions again.
    if (isClosed || onConnection !== connection) return new Map();
    refusals.keep((name) => refused.has(name) || allSets.some((set) => set.isUnconfirmed(name)));
    if (refused.size > 0 || isIncomplete) refusals.scheduleRetry();
    else refusals.resetPause();
    if (isIncomplete) hasGap = true;
    else if (hasGap || (isRepair && confirmed > 0)) {
      hasGap = false;
      resubscribed.emit();
    }
    return refused;
  }

  async function subscribe(kind: SubscriptionKind, name: string, handle: MessageHandler) {
    if (isClosed) throw closedError();
    const set = sets[kind];
    const entry: HandlerEntry = { handle };
    set.add(name, entry);
    const remove = async () => {
      if (!set.remove(name, entry) || set.handlers(name).length > 0 || isClosed) return;
      await flushSoon();
    };
    if (!transport.ready) {
      hasGap = true;
    } else if (set.isUnconfirmed(name)) {
      // Another call may already have sent SUBSCRIBE for this topic, so all running flushes are awaited.
      const outcomes = await Promise.all([flushSoon(), ...flushes]);
      const refusal = outcomes.map((refused) => refused.get(name)).find(Boolean);
      if (isClosed) throw closedError();
      if (refusal) {
        await remove();
        throw refusal;
      }
    }
    entry.isAccepted = true;
    return remove;
  }

  function changeConnection(): void {
    connection += 1;
    for (const set of allSets) set.reset();
  }

  const transport = open(
    {
      onReady() {
        refusals.resetPause();
        changeConnection();
        void flushSoon();
      },
      onDown() {
        hasGap = true;
        changeConnection();
      },
      // The command connection has the same errors, and logs them already.
      onError() {},
    },
    (kind, name, topic, message) => {
      for (const { handle } of sets[kind].handlers(name)) {
        // ioredis would throw a handler's error again where nothing catches it, and the process would end.
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
    get health() {
      return {
        connected: transport.ready && countUnconfirmed() === 0,
        topics: sets.topic.size + sets.pattern.size,
        unconfirmed: countUnconfirmed(),
        reconnects: transport.reconnects,
      };
    },
    async close() {
      isClosed = true;
      refusals.stop();
      heartbeat.stop();
      await transport.close();
    },
  } satisfies RedisSubscriber & Record<string, unknown>;
}

// Redis can answer a command with this many names well within the timeout.
const namesPerCommand = 500;

interface SyncOutcome {
  confirmed: number;
  /** True when some names got no answer, although the connection may be up. */
  isIncomplete: boolean;
  readonly refused: Refused;
}

/** Never rejects. */
async function sendChanges(
  transport: SubscriberTransport,
  set: SubscriptionSet,
  outcome: SyncOutcome,
): Promise<void> {
  const { add, remove } = set.takeChanges();

  async function subscribe(entries: readonly (readonly [string, SentSubscribe])[]): Promise<void> {
    const names = entries.map(([name]) => name);
    try {
      await transport.subscribe(set.kind, names);
      for (const [name, sent] of entries) set.confirm(name, sent);
      outcome.confirmed += entries.length;
    } catch (thrown) {
      const error = toClientError(thrown);
      if (!isOutage(error) && entries.length > 1) {
        // Redis refuses the whole command because of one bad name, so each name is tried alone.
        await Promise.all(entries.map((entry) => subscribe([entry])));
        return;
      }
      for (const [name, sent] of entries) {
        set.retryLater(name, sent);
        if (!isOutage(error)) outcome.refused.set(name, error);
      }
      outcome.isIncomplete ||= isOutage(error);
    }
  }

  await Promise.all([
    ...chunksOf([...add]).map(subscribe),
    // If UNSUBSCRIBE fails, messages without a handler may arrive, which is harmless.
    ...chunksOf(remove).map((names) =>
      transport.unsubscribe(set.kind, names).catch(() => undefined),
    ),
  ]);
}

function chunksOf<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / namesPerCommand) }, (_, chunk) =>
    items.slice(chunk * namesPerCommand, (chunk + 1) * namesPerCommand),
  );
}

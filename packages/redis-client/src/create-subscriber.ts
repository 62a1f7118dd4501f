import { RedisClientError } from './errors.ts';
import { createListeners } from './listeners.ts';
import type { RedisLogger } from './logger.ts';
import type { ClientSettings } from './options.ts';
import type { MessageHandler, RedisSubscriber } from './subscriber.ts';
import type { OnMessage, SubscriberTransport, SubscriptionKind } from './subscriber-transport.ts';
import { createSubscriptionSet, type HandlerEntry } from './subscription-set.ts';
import { syncSubscriptions, type SyncResult } from './subscription-sync.ts';
import type { LinkEvents } from './transport.ts';
import { startWatchdog } from './watchdog.ts';

type Refusals = ReadonlyMap<string, RedisClientError>;

const retryMinMs = 500;
const retryMaxMs = 30_000;

/** What the client needs of its subscriber beyond {@link RedisSubscriber}. */
export interface OwnedSubscriber extends RedisSubscriber {
  readonly topics: number;
  readonly unconfirmed: number;
  readonly reconnects: number;
  close(): Promise<void>;
}

/** What the subscriber is given to work with. */
export interface SubscriberDeps {
  readonly open: (events: LinkEvents, onMessage: OnMessage) => SubscriberTransport;
  readonly logger: RedisLogger;
  readonly settings: ClientSettings;
}

/**
 * Keeps the registry of subscriptions and the server in step: with every connection, after every change, and by
 * retries (0.5 s doubling to 30 s) for what the server refused, which an ACL may allow again.
 */
export function createSubscriber({ open, logger, settings }: SubscriberDeps): OwnedSubscriber {
  const sets = { topic: createSubscriptionSet('topic'), pattern: createSubscriptionSet('pattern') };
  const reportThrow = (error: unknown) =>
    logger.error({ err: error }, 'a subscription handler threw');
  const resubscribed = createListeners<[]>(reportThrow);
  /** Refused names that are retried, so that each is reported once. */
  const refusedNames = new Set<string>();
  let flush: Promise<Refusals> | undefined;
  const flushes = new Set<Promise<Refusals>>();
  let retryTimer: NodeJS.Timeout | undefined;
  let retries = 0;
  let connection = 0;
  let isClosed = false;
  /** Messages may have been missed since the listeners of `onResubscribed` were last called. */
  let hasGap = false;

  function scheduleRetry() {
    if (retryTimer || isClosed) return;
    const delayMs = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(retries, 10));
    retries += 1;
    retryTimer = setTimeout(
      () => {
        retryTimer = undefined;
        void flushSoon();
      },
      delayMs * (0.5 + settings.random() / 2),
    );
  }

  function settle(results: readonly SyncResult[]): Refusals {
    const refused = new Map(results.flatMap((result) => [...result.refused]));
    const isIncomplete = results.some((result) => result.isIncomplete);
    for (const [name, error] of refused) {
      if (refusedNames.has(name)) continue;
      refusedNames.add(name);
      logger.error(
        { topic: name, reason: error.message },
        'Redis refused a subscription; retrying',
      );
    }
    if (refused.size > 0 || isIncomplete) {
      hasGap = hasGap || isIncomplete;
      scheduleRetry();
    } else {
      retries = 0;
    }
    return refused;
  }

  /** Sends what changed in this turn of the event loop; resolves with what Redis refused of it. */
  function flushSoon(): Promise<Refusals> {
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

  async function sync(): Promise<Refusals> {
    if (isClosed || !transport.ready) return new Map();
    const onConnection = connection;
    const isRepair = hasGap || refusedNames.size > 0;
    const results = await Promise.all(
      Object.values(sets).map((set) => syncSubscriptions(transport, set)),
    );
    // A later connection has a sync of its own.
    if (isClosed || onConnection !== connection) return new Map();
    const refused = settle(results);
    for (const name of refusedNames) {
      if (!refused.has(name) && isConfirmedOrGone(name)) refusedNames.delete(name);
    }
    const confirmed = results.reduce((sum, result) => sum + result.confirmed, 0);
    if (isRepair && !results.some((result) => result.isIncomplete) && (hasGap || confirmed > 0)) {
      hasGap = false;
      resubscribed.emit();
    }
    return refused;
  }

  function isConfirmedOrGone(name: string): boolean {
    return Object.values(sets).every(
      (set) => set.isConfirmed(name) || set.handlers(name).length === 0,
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
      refusedNames.delete(name);
      await flushSoon();
    };
    if (!transport.ready) {
      hasGap = true;
      return remove;
    }
    if (!set.isConfirmed(name)) {
      // Another call's SUBSCRIBE of the same topic may be on its way already.
      const outcomes = await Promise.all([flushSoon(), ...flushes]);
      const refusal = outcomes.map((refused) => refused.get(name)).find(Boolean);
      if (isClosed) throw closed();
      if (refusal) {
        await remove();
        throw refusal;
      }
    }
    return remove;
  }

  const transport = open(
    {
      onReady() {
        connection += 1;
        retries = 0;
        for (const set of Object.values(sets)) set.forgetAll();
        void flushSoon();
      },
      onDown() {
        connection += 1;
        hasGap = true;
        for (const set of Object.values(sets)) set.forgetAll();
      },
      // The command connection tells the same story, and tells it to the log.
      onError() {},
    },
    (kind, name, topic, message) => {
      for (const { handle } of sets[kind].handlers(name)) {
        // ioredis would throw it again outside of any caller's reach, which ends the process.
        try {
          handle(message, topic);
        } catch (error) {
          reportThrow(error);
        }
      }
    },
  );
  const watchdog = startWatchdog(transport, settings, logger);
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
      clearTimeout(retryTimer);
      watchdog.stop();
      await transport.close();
    },
  };
}

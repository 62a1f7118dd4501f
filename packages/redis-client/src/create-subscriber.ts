import { RedisClientError } from './errors.ts';
import { createListeners } from './listeners.ts';
import type { Logger } from './logger.ts';
import type { ClientSettings } from './options.ts';
import { createRefusals } from './refusals.ts';
import type { MessageHandler, RedisSubscriber } from './subscriber.ts';
import type { OnMessage, SubscriberTransport, SubscriptionKind } from './subscriber-transport.ts';
import {
  createSubscriptionSet,
  type HandlerEntry,
  type SubscriptionSet,
} from './subscription-set.ts';
import { syncSubscriptions, type SyncResult } from './subscription-sync.ts';
import type { LinkEvents } from './transport.ts';
import { startWatchdog } from './watchdog.ts';

type Refused = ReadonlyMap<string, RedisClientError>;

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
  readonly logger: Logger;
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
  const refusals = createRefusals(() => void flushSoon(), { logger, random: settings.random });
  /** Handlers whose subscription Redis has taken, or will when it is back: theirs to lose. */
  const accepted = new WeakSet<HandlerEntry>();
  let flush: Promise<Refused> | undefined;
  const flushes = new Set<Promise<Refused>>();
  let connection = 0;
  let isClosed = false;
  /** Messages may have been missed since the listeners of `onResubscribed` were last called. */
  let hasGap = false;

  /** Sends what changed in this turn of the event loop; resolves with what Redis refused of it. */
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
    // A later connection has a sync of its own.
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
      // Whoever asks for it only now is told by the error.
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
      // Another call's SUBSCRIBE of the same topic may be on its way already.
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
      watchdog.stop();
      await transport.close();
    },
  };
}

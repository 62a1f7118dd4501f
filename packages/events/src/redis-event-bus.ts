import { randomUUID } from 'node:crypto';
import type { KeySchema, Topic } from '@openclaw/key-schema';
import { decodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import {
  createThrottledWarn,
  isDenied,
  type RedisClient,
  RedisClientError,
  resolveOptions,
} from '@openclaw/redis-client';
import { createBus } from './bus-over-transport.ts';
import { EventsError } from './errors.ts';
import type { EventBus, EventsLogger } from './event-bus.ts';
import { createPublishQueue, type ScriptedEvent } from './publish-queue.ts';
import { createRecentIds } from './recent-ids.ts';
import { createRedisProbe } from './redis-probe.ts';

export interface RedisEventBusDeps {
  readonly redis: RedisClient;
  readonly keys: KeySchema;
  /**
   * Each kind of failure is logged at most once a second.
   * @default none
   */
  readonly logger?: EventsLogger;
}

export interface RedisEventBusOptions {
  /** The most publishes without an answer; further ones are rejected with `unavailable`. @default 10_000 */
  readonly maxPending?: number;
  /** The most characters of JSON in publishes without an answer. @default 16_777_216 */
  readonly maxPendingCharacters?: number;
  /** Uses SPUBLISH, which Redis Cluster needs. @default `keys.hashTags` */
  readonly sharded?: boolean;
  /** Epoch milliseconds. @default Date.now */
  readonly clock?: () => number;
}

const limits = { maxPending: 10_000, maxPendingCharacters: 16 * 1024 * 1024 };

/**
 * Creates a bus over Redis pub/sub. All publishes of a tick share one round trip. While Redis is away, local handlers
 * are still called, and publishes are rejected with `unavailable`. New subscriptions then take effect at the reconnect
 * ({@link EventBus.onResubscribed}).
 * @throws {EventsError} `invalid_options`
 */
export function createRedisEventBus(
  { redis, keys, logger }: RedisEventBusDeps,
  options: RedisEventBusOptions = {},
): EventBus {
  const warn = createThrottledWarn(logger, options.clock ?? Date.now);
  const { subscriber } = redis;
  const sharded = options.sharded ?? keys.hashTags;
  const command = sharded ? 'spublish' : 'publish';
  const { maxPending, maxPendingCharacters } = resolveOptions(limits, options, EventsError);
  const queue = createPublishQueue(redis, { maxPending, maxPendingCharacters, sharded });
  // Keeps at least the newest 2 × maxPending ids: one half for queued events, the other half for sent events that Redis
  // has not yet delivered back.
  const ownIds = createRecentIds(4 * maxPending, Infinity, () => 0);
  const probe = createRedisProbe(keys.probeTopic(randomUUID()), subscriber, (topic, nonce) =>
    queue.push({ commands: [[command, topic, nonce]], event: null, characters: nonce.length }),
  );
  let wasAvailable = redis.available;
  const offAvailability = redis.onAvailability((available) => {
    if (available) wasAvailable = true;
  });
  /** An ACL denied the publish script. The probe does not notice this, because it uses PUBLISH. */
  let isScriptDenied = false;
  let echoes = 0;
  let malformed = 0;
  let lastMessage = '';
  let lastEvent: EncodedEnvelope | null = null;

  function receive(
    message: string,
    topic: Topic | null,
    onEvent: (event: EncodedEnvelope, topic: Topic) => void,
  ): void {
    const id = idOf(message);
    if (id !== null && ownIds.has(id)) {
      echoes += 1;
      return;
    }
    // An envelope on several topics arrives several times in a row, so it is parsed once.
    if (message !== lastMessage) {
      lastEvent = decodeEnvelope(message)?.encoded ?? null;
      lastMessage = message;
    }
    const event = lastEvent;
    const isStray = topic?.kind === 'channel' && topic.channelId !== event?.channelId;
    if (event === null || topic === null || isStray) {
      malformed += 1;
      warn({ topic }, 'a message from Redis is no envelope of its topic');
      return;
    }
    onEvent(event, topic);
  }

  return createBus(
    keys,
    {
      send({ event, topics, invalidates, invalidatesOnGap }) {
        const { id, channelId, seq, json } = event;
        const isScripted = channelId !== null && (seq !== null || invalidates.length > 0);
        // On Cluster, the topics of agents are in other slots than the channel, so the script cannot publish on them.
        const inScript = topics.filter(
          ({ topic }) => isScripted && (!sharded || topic.kind === 'channel'),
        );
        const scripted: ScriptedEvent | null = isScripted
          ? {
              channelId,
              json,
              seq,
              seqKey: keys.sequence(channelId),
              invalidates,
              invalidatesOnGap,
              topics: inScript.map(({ name }) => name),
            }
          : null;
        const commands = topics
          .filter((topic) => !inScript.includes(topic))
          .map(({ name }) => [command, name, json] as const);
        if (commands.length === 0 && !scripted) return Promise.resolve();
        // Redis may run a command that timed out, so the id is remembered before the result is known.
        ownIds.add(id);
        const characters = json.length * (commands.length + (scripted ? 1 : 0));
        const sent = queue.push({ commands, event: scripted, characters });
        if (!isScripted) return sent;
        return sent.then(
          () => {
            isScriptDenied = false;
          },
          (error: unknown) => {
            if (isDenied(error)) isScriptDenied = true;
            throw error;
          },
        );
      },
      async listen(name, onEvent) {
        const isPattern = name === keys.channelPattern;
        if (isPattern && sharded) {
          throw new EventsError('unsupported', 'sharded pub/sub has no pattern subscriptions');
        }
        const topic = keys.parseTopic(name);
        const end = await (
          isPattern
            ? subscriber.subscribePattern(name, (message, from) =>
                receive(message, keys.parseTopic(from), onEvent),
              )
            : subscriber.subscribe(name, (message) => receive(message, topic, onEvent))
        ).catch((error: unknown) => {
          throw toEventsError(error);
        });
        return async () => {
          // A failure does no harm, because the topic has no handler any more.
          await end().catch((error: unknown) => {
            warn({ err: error, topic: name }, 'a topic could not be unsubscribed');
          });
        };
      },
      async nextSeq(channelId) {
        try {
          return Number(await redis.send(['incr', keys.sequence(channelId)]));
        } catch (error) {
          throw toEventsError(error);
        }
      },
      onResubscribed: (listener) => subscriber.onResubscribed(listener),
      get available() {
        return redis.available && subscriber.connected && !isScriptDenied;
      },
      get wasAvailable() {
        return wasAvailable;
      },
      get stats() {
        return { pending: queue.pending, echoes, malformed };
      },
      async probe(timeoutMs) {
        const result = await probe.run(timeoutMs);
        return isScriptDenied ? { outcome: 'refused' } : result;
      },
      idle: () => queue.idle(),
      close: () => {
        offAvailability();
        return probe.close();
      },
    },
    warn,
  );
}

// Every envelope begins with {"id":"<id>", and ids need no escaping, so the id is read without parsing.
const beforeId = '{"id":"';

function idOf(message: string): string | null {
  if (!message.startsWith(beforeId)) return null;
  const end = message.indexOf('"', beforeId.length);
  return end < 0 ? null : message.slice(beforeId.length, end);
}

function toEventsError(cause: unknown): EventsError {
  const code = cause instanceof RedisClientError ? cause.code : 'unavailable';
  const known = code === 'unsupported' || code === 'closed' ? code : 'unavailable';
  return new EventsError(known, cause instanceof Error ? cause.message : String(cause), cause);
}

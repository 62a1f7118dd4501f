import { randomUUID } from 'node:crypto';
import type { KeySchema, Topic } from '@openclaw/key-schema';
import { decodeEnvelope, type EncodedEnvelope } from '@openclaw/protocol';
import { defineScript, isDenied, RedisClientError, type RedisClient } from '@openclaw/redis-client';
import { EventsError } from './errors.ts';
import { publishLua } from './lua.gen.ts';
import { PublishQueue, type PublishCall, type PublishQueueOptions } from './publish-queue.ts';
import { RecentIds } from './recent-ids.ts';
import { createRedisProbe } from './redis-probe.ts';
import type { Reporter } from './reporter.ts';
import type { Publication, Transport } from './transport.ts';

/** Publishes one event of a channel; its header says how. */
export const publishScript = defineScript('publish', publishLua);

/** What a Redis transport works with. */
export interface RedisTransportParts extends PublishQueueOptions {
  readonly redis: RedisClient;
  readonly keys: KeySchema;
  readonly reporter: Reporter;
  /** SPUBLISH in place of PUBLISH, and no patterns. */
  readonly sharded: boolean;
}

// Every envelope begins {"id":"<id>", and an id needs no escape: the id can be read without parsing.
const beforeId = '{"id":"';

function idAtItsPlace(message: string): string | null {
  if (!message.startsWith(beforeId)) return null;
  const end = message.indexOf('"', beforeId.length);
  return end < 0 ? null : message.slice(beforeId.length, end);
}

function toEventsError(cause: unknown): EventsError {
  const code = cause instanceof RedisClientError ? cause.code : 'unavailable';
  const known = code === 'unsupported' || code === 'closed' ? code : 'unavailable';
  return new EventsError(known, cause instanceof Error ? cause.message : String(cause), { cause });
}

/** Makes the transport over Redis pub/sub. */
export function createRedisTransport(parts: RedisTransportParts): Transport {
  const { redis, keys, reporter, sharded } = parts;
  const { subscriber } = redis;
  const verb = sharded ? 'spublish' : 'publish';
  const queue = new PublishQueue(redis, parts);
  // Each may wait in the queue, and as many again may be answered while their echo still is on its way.
  const ownIds = new RecentIds(4 * parts.maxPending, Infinity, () => 0);
  const probe = createRedisProbe({
    topic: keys.probeTopic(randomUUID()),
    subscriber,
    publish: (topic, word) => queue.push([[verb, topic, word]], word.length),
  });
  let wasAvailable = redis.available;
  const offAvailability = redis.onAvailability((available) => {
    if (available) wasAvailable = true;
  });
  /**
   * Redis denied the script of the last event that was published by one (ACL): a plain PUBLISH, as of the probe, may pass
   * where it does not.
   */
  let isEventDenied = false;
  const noticeDenial = (error: unknown) => {
    if (error instanceof EventsError && isDenied(error.cause)) isEventDenied = true;
    throw error;
  };
  let echoes = 0;
  let malformed = 0;
  let lastMessage = '';
  let lastEvent: EncodedEnvelope | null = null;

  function callsOf({ event, topics, outdated, outdatedByGap }: Publication): PublishCall[] {
    const { channelId, seq, json } = event;
    const calls: PublishCall[] = [];
    const inChannel = topics.some(({ topic }) => topic.kind === 'channel');
    const scripted = channelId !== null && (seq !== null || outdated.length > 0);
    for (const { name, topic } of topics) {
      if (!(scripted && topic.kind === 'channel')) calls.push([verb, name, json]);
    }
    if (scripted) {
      const publishing = inChannel ? [verb, json] : ['', ''];
      calls.push({
        script: publishScript,
        keys: [
          keys.channelTopic(channelId),
          keys.sequence(channelId),
          ...outdated,
          ...outdatedByGap,
        ],
        args: [...publishing, seq ?? '', outdated.length],
      });
    }
    return calls;
  }

  /** One envelope on several topics comes as several equal messages in a row: it is parsed once. */
  function decode(message: string): EncodedEnvelope | null {
    if (message !== lastMessage) {
      lastEvent = decodeEnvelope(message)?.encoded ?? null;
      lastMessage = message;
    }
    return lastEvent;
  }

  function receive(
    message: string,
    topic: Topic | null,
    onEvent: (event: EncodedEnvelope, topic: Topic) => void,
  ): void {
    const id = idAtItsPlace(message);
    if (id !== null && ownIds.has(id)) {
      echoes += 1;
      return;
    }
    const event = decode(message);
    const isStray = topic?.kind === 'channel' && topic.channelId !== event?.channelId;
    if (event === null || topic === null || isStray) {
      malformed += 1;
      reporter.report('a message from Redis is no envelope of its topic', { topic });
      return;
    }
    onEvent(event, topic);
  }

  return {
    send(publication) {
      const { event, topics } = publication;
      const calls = callsOf(publication);
      if (calls.length === 0) return Promise.resolve();
      // Before it is sent, and also when it then fails: a command that timed out may run all the same.
      ownIds.add(event.id);
      const sent = queue.push(calls, event.json.length * Math.max(1, topics.length));
      const isScripted = calls.some((call) => !Array.isArray(call));
      if (!isScripted) return sent;
      return sent.then(() => {
        isEventDenied = false;
      }, noticeDenial);
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
        // The handlers are gone already; what Redis says to it changes nothing for them.
        await end().catch((error: unknown) => {
          reporter.report('a topic could not be unsubscribed', { err: error, topic: name });
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
      return redis.available && subscriber.connected && !isEventDenied;
    },
    get wasAvailable() {
      return wasAvailable;
    },
    get stats() {
      return { pending: queue.pending, echoes, malformed };
    },
    async probe(timeoutMs) {
      const result = await probe.run(timeoutMs);
      return isEventDenied ? { outcome: 'refused' } : result;
    },
    idle: () => queue.idle(),
    close: () => {
      offAvailability();
      return probe.close();
    },
  };
}

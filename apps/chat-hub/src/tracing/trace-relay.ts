import type { KeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import type { Logger } from 'pino';
import { encodeCarrier, parseCarrier, type TraceCarrier } from './trace-carrier.ts';

/**
 * The most contexts that wait for an answer of Redis. Past this number, contexts are dropped, and other hubs record no
 * spans for the events of these contexts.
 */
const maxPending = 1_000;

/**
 * Carries the trace contexts of sampled events between hubs. The contexts use a separate topic. In the envelopes, they
 * would reach clients, because clients receive envelopes exactly as published. Costs one PUBLISH per sampled event.
 */
export async function createTraceRelay(
  deps: {
    readonly redis: Pick<RedisClient, 'send' | 'subscriber'>;
    readonly keys: Pick<KeySchema, 'traceTopic' | 'hashTags'>;
    readonly log: Logger;
  },
  onCarrier: (carrier: TraceCarrier) => void,
) {
  const { redis, keys, log } = deps;
  const command = keys.hashTags ? 'spublish' : 'publish';
  let pending = 0;
  const unsubscribe = await redis.subscriber.subscribe(keys.traceTopic, (text) => {
    const carrier = parseCarrier(text);
    if (carrier) onCarrier(carrier);
    else log.debug('a message on the trace topic is not a trace context');
  });

  return {
    /**
     * Does not wait, and only logs failures, because without a context only spans are missing. Call it before the event
     * is published.
     */
    send(carrier: TraceCarrier) {
      if (pending >= maxPending) return;
      pending += 1;
      redis
        .send([command, keys.traceTopic, encodeCarrier(carrier)])
        .catch((error: unknown) => log.debug({ err: error }, 'a trace context was not published'))
        .finally(() => (pending -= 1));
    },
    close: () => unsubscribe(),
  };
}

import type { IoredisOptions } from './ioredis-options.ts';
import { openLink } from './link.ts';
import type { OnMessage, SubscriberTransport } from './subscriber-transport.ts';
import type { LinkEvents } from './transport.ts';

/** Subscriptions on one server, or on the master that the sentinels name. */
export function openLinkSubscriber(
  options: IoredisOptions,
  events: LinkEvents,
  onMessage: OnMessage,
): SubscriberTransport {
  const link = openLink(options, events);
  const { redis } = link;
  redis.on('message', (topic: string, message: string) =>
    onMessage('topic', topic, topic, message),
  );
  redis.on('pmessage', (pattern: string, topic: string, message: string) =>
    onMessage('pattern', pattern, topic, message),
  );
  return {
    get ready() {
      return link.ready;
    },
    get reconnects() {
      return link.reconnects;
    },
    supportsPatterns: true,
    subscribe: (kind, names) =>
      kind === 'topic' ? redis.subscribe(...names) : redis.psubscribe(...names),
    unsubscribe: (kind, names) =>
      kind === 'topic' ? redis.unsubscribe(...names) : redis.punsubscribe(...names),
    ping: () => redis.ping(),
    drop: link.drop,
    dropAll: link.drop,
    close: link.close,
  };
}

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema, type KeySchema } from '@openclaw/key-schema';
import {
  freePort,
  randomPrefix,
  startRedis,
  waitFor,
  type RedisServer,
} from '@openclaw/test-support';
import type { RedisClient } from './index.ts';
import { clientsOfTest, recordingLogger, untilUp } from './testing/clients.ts';

let server: RedisServer;
let keys: KeySchema;
const clients = clientsOfTest();

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => {
  keys = createKeySchema({ prefix: randomPrefix() });
});
afterAll(() => server.stop());

async function subscribersOf(redis: RedisClient, topic: string): Promise<unknown> {
  return ((await redis.send(['PUBSUB', 'NUMSUB', topic])) as unknown[])[1];
}

describe('Pub/Sub publish/subscribe', () => {
  it('delivers from one client to another, in order', async () => {
    const [from, to] = await Promise.all([
      clients.connect({ url: server.url }),
      clients.connect({ url: server.url }),
    ]);
    const heard: string[] = [];
    await to.subscriber.subscribe(keys.channelTopic('room'), (message) => heard.push(message));
    await from.pipeline(
      Array.from(
        { length: 100 },
        (_, n) => ['PUBLISH', keys.channelTopic('room'), `${n}`] as const,
      ),
    );
    await waitFor(() => heard.length === 100);
    expect(heard).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`));
  });

  it('resolves a subscription when Redis has confirmed it, so the next message arrives', async () => {
    const redis = await clients.connect({ url: server.url });
    for (let n = 0; n < 20; n += 1) {
      const topic = keys.channelTopic(`room${n}`);
      const second: Promise<unknown>[] = [];
      const first = redis.subscriber.subscribe(topic, () => undefined);
      // The second call joins a SUBSCRIBE in flight, and must wait for its answer.
      await Promise.resolve().then(() =>
        second.push(redis.subscriber.subscribe(topic, () => undefined)),
      );
      await Promise.race([first, second[0]]);
      expect(await subscribersOf(redis, topic)).toBe(1);
    }
  });

  it('removes exactly the handler whose unsubscribe is called, and the topic with the last', async () => {
    const redis = await clients.connect({ url: server.url });
    const topic = keys.channelTopic('room');
    const heard: string[] = [];
    const handler = (message: string) => heard.push(message);
    const first = await redis.subscriber.subscribe(topic, handler);
    const second = await redis.subscriber.subscribe(topic, handler);
    const third = await redis.subscriber.subscribe(topic, (message) =>
      heard.push(`other ${message}`),
    );
    await redis.send(['PUBLISH', topic, '1']);
    await waitFor(() => heard.length === 3);
    await first();
    await first();
    await redis.send(['PUBLISH', topic, '2']);
    await waitFor(() => heard.length === 5);
    await second();
    await redis.send(['PUBLISH', topic, '3']);
    await waitFor(() => heard.length === 6);
    await third();
    expect(await subscribersOf(redis, topic)).toBe(0);
    expect(heard).toEqual(['1', '1', 'other 1', '2', 'other 2', 'other 3']);
  });

  it('survives unsubscribe and subscribe in one turn', async () => {
    const redis = await clients.connect({ url: server.url });
    const topic = keys.channelTopic('room');
    const heard: string[] = [];
    const leave = await redis.subscriber.subscribe(topic, () => heard.push('old'));
    const left = leave();
    await redis.subscriber.subscribe(topic, () => heard.push('new'));
    await left;
    await redis.send(['PUBLISH', topic, 'x']);
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(['new']);
    expect(await subscribersOf(redis, topic)).toBe(1);
  });

  it('calls the other handlers when one throws', async () => {
    const logger = recordingLogger();
    const redis = await clients.connect({ url: server.url }, logger);
    const heard: string[] = [];
    await redis.subscriber.subscribe(keys.globalTopic, () => {
      throw new Error('a bug of the caller');
    });
    await redis.subscriber.subscribe(keys.globalTopic, (message) => heard.push(message));
    await redis.send(['PUBLISH', keys.globalTopic, '1']);
    await redis.send(['PUBLISH', keys.globalTopic, '2']);
    await waitFor(() => heard.length === 2);
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  it('subscribes thousands of topics made in one turn with a few commands', async () => {
    const redis = await clients.connect({ url: server.url });
    await server.command('CONFIG RESETSTAT');
    await Promise.all(
      Array.from({ length: 3000 }, (_, n) =>
        redis.subscriber.subscribe(keys.channelTopic(`c${n}`), () => undefined),
      ),
    );
    expect(await redis.send(['PUBSUB', 'NUMSUB', keys.channelTopic('c2999')])).toEqual([
      keys.channelTopic('c2999'),
      1,
    ]);
    expect(await server.command('INFO commandstats')).toMatch(/cmdstat_subscribe:calls=6,/);
    expect((await redis.health()).subscriber.topics).toBe(3000);
  });
});

describe('Pattern subscriptions (pubsub:channel:*)', () => {
  it('receives every channel of the pattern, beside the topic itself', async () => {
    const redis = await clients.connect({ url: server.url });
    const heard: string[] = [];
    const leave = await redis.subscriber.subscribePattern(keys.channelPattern, (message, topic) =>
      heard.push(`pattern ${topic} ${message}`),
    );
    await redis.subscriber.subscribe(keys.channelTopic('a'), (message, topic) =>
      heard.push(`topic ${topic} ${message}`),
    );
    await redis.send(['PUBLISH', keys.agentTopic('a'), 'not matched']);
    await redis.send(['PUBLISH', keys.channelTopic('a'), '1']);
    await redis.send(['PUBLISH', keys.channelTopic('b'), '2']);
    await waitFor(() => heard.length === 3);
    expect(heard.sort()).toEqual([
      `pattern ${keys.channelTopic('a')} 1`,
      `pattern ${keys.channelTopic('b')} 2`,
      `topic ${keys.channelTopic('a')} 1`,
    ]);
    await leave();
    expect(await redis.send(['PUBSUB', 'NUMPAT'])).toBe(0);
  });
});

describe('a subscription made while Redis is away', () => {
  it('resolves, takes effect with the connection, and then calls onResubscribed', async () => {
    const port = await freePort();
    const redis = clients.open({ host: '127.0.0.1', port });
    const heard: string[] = [];
    let resubscribed = 0;
    redis.subscriber.onResubscribed(() => (resubscribed += 1));
    await redis.subscriber.subscribe(keys.globalTopic, (message) => heard.push(message));
    const leave = await redis.subscriber.subscribe(keys.channelTopic('left'), () => undefined);
    await leave();
    expect(redis.subscriber.connected).toBe(false);
    const late = await startRedis({ port });
    try {
      await untilUp(redis);
      expect(resubscribed).toBe(1);
      await redis.send(['PUBLISH', keys.globalTopic, 'hello']);
      await waitFor(() => heard.length === 1);
      expect(await subscribersOf(redis, keys.channelTopic('left'))).toBe(0);
    } finally {
      await redis.close();
      await late.stop();
    }
  });
});

describe('a subscriber connection that is replaced', () => {
  it('is subscribed to all topics again, and the gap is reported', async () => {
    const redis = await clients.connect({ url: server.url });
    const heard: string[] = [];
    let resubscribed = 0;
    redis.subscriber.onResubscribed(() => (resubscribed += 1));
    const topic = keys.channelTopic('room');
    await redis.subscriber.subscribe(topic, (message) => heard.push(message));
    redis.subscriber.reconnect();
    await waitFor(() => resubscribed === 1);
    expect((await redis.health()).subscriber).toMatchObject({ connected: true, reconnects: 1 });
    await redis.send(['PUBLISH', topic, 'again']);
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(['again']);
  });

  it('is not replaced while it is still connecting', async () => {
    const redis = clients.open({ host: '127.0.0.1', port: await freePort() });
    redis.subscriber.reconnect();
    expect(redis.subscriber.connected).toBe(false);
  });
});

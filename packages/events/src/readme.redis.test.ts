import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { encodeEnvelope } from '@openclaw/protocol';
import { createRedisClient } from '@openclaw/redis-client';
import { randomPrefix, startRedis, type RedisServer } from '@openclaw/test-support';
import { createRedisEventBus, createSequencer } from './index.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it('works as the README shows', async () => {
  const seen: string[] = [];
  const console = { log: (...parts: unknown[]) => seen.push(parts.join(' ')) };

  const redis = createRedisClient({ url: server.url });
  await redis.ready();
  const bus = createRedisEventBus({ redis, keys: createKeySchema({ prefix: randomPrefix() }) });
  const [channelId, senderId, epoch] = ['general', 'tech-lead', 'my-log'];
  const seq = await bus.nextSeq(channelId);
  const event = encodeEnvelope({
    id: crypto.randomUUID(),
    timestamp: Date.now(),
    senderId,
    senderKind: null,
    channelId,
    seq,
    epoch,
    event: { type: 'collaboration.event', channelId, name: 'deploy', payload: { version: 2 } },
  });
  const log = [event];
  const sequencer = createSequencer({
    channelId,
    epoch,
    head: seq - 1,
    deliver: (next) => console.log(next.seq, next.type),
    fetch: async (after) => log.filter((logged) => (logged.seq ?? 0) > after),
  });
  await bus.subscribeChannel(channelId, (next) => sequencer.offer(next));
  await bus.publish(event, { channel: true });
  await bus.close();
  await redis.close();

  expect(seen).toEqual(['1 collaboration.event']);
});

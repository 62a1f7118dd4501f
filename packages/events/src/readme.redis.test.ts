import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { encodeEnvelope } from '@openclaw/protocol';
import { createRedisClient } from '@openclaw/redis-client';
import { randomPrefix, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { createRedisEventBus, createSequencer } from './index.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it('works as the README shows', async () => {
  const seen: string[] = [];
  const console = { log: (...parts: unknown[]) => seen.push(parts.join(' ')) };
  const url = server.url;
  const prefix = randomPrefix();

  const redis = createRedisClient({ url });
  await waitFor(() => redis.available);
  const bus = createRedisEventBus({ redis, keys: createKeySchema({ prefix }) });

  const unsubscribe = await bus.subscribeChannel('general', (event) => console.log(event.type));

  const [channelId, senderId, timestamp] = ['general', 'tech-lead', Date.now()];
  const event = encodeEnvelope({
    ...{ id: crypto.randomUUID(), timestamp, senderId, senderKind: null, channelId, epoch: 'mine' },
    event: { type: 'collaboration.event', channelId, name: 'deploy', payload: { version: 2 } },
    seq: await bus.nextSeq(channelId),
  });
  await bus.publish(event, { channel: true });
  expect(seen).toEqual(['collaboration.event']);

  const log = [event];
  const sequencer = createSequencer({
    ...{ channelId: 'general', epoch: 'mine', head: 0 },
    deliver: (next) => console.log('in order:', next.seq),
    fetch: async (after, limit) => log.slice(after, after + limit),
  });
  await bus.subscribeChannel('general', (next) => sequencer.offer(next));
  sequencer.raise(1);
  await waitFor(() => seen.length === 2);
  expect(seen[1]).toBe('in order: 1');

  await unsubscribe();
  await bus.close();
  await redis.close();
});

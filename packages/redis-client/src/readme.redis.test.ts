import { expect, it } from '@jest/globals';
import { startRedis, waitFor } from '@openclaw/test-support';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisClient, withFallback } from '@openclaw/redis-client';

const report = (_state: string) => undefined;

async function example(url: string, onMessage: (message: string) => void) {
  const keys = createKeySchema();
  const redis = createRedisClient({ url });
  redis.onAvailability((available) => report(available ? 'Redis is there' : 'without Redis'));
  await redis.subscriber.subscribe(keys.channelTopic('lobby'), onMessage);

  const { value, degraded } = await withFallback(
    redis,
    async () => Number(await redis.send(['PUBLISH', keys.channelTopic('lobby'), 'hello'])),
    () => 0,
  );
  return { redis, receivers: value, degraded };
}

it('does what the README shows', async () => {
  const server = await startRedis();
  const heard: string[] = [];
  const { redis, degraded } = await example(server.url, (message) => heard.push(message));
  expect(degraded).toBe(false);
  await waitFor(() => redis.available && redis.subscriber.connected);
  await redis.send(['PUBLISH', createKeySchema().channelTopic('lobby'), 'hello']);
  await waitFor(() => heard.length > 0);
  await redis.close();
  await server.stop();
});

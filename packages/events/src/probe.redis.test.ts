import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import {
  randomPrefix,
  startDeafProxy,
  startRedis,
  waitFor,
  type DeafProxy,
  type RedisServer,
} from '@openclaw/test-support';
import { createRedisSystem, type RedisSystem } from './testing/redis-bench.ts';
import { sampleMessage } from './testing/sample-events.ts';

describe('probing the publish path', () => {
  let server: RedisServer;
  let proxy: DeafProxy;
  let system: RedisSystem;
  let direct: RedisSystem;
  beforeEach(async () => {
    server = await startRedis();
    proxy = await startDeafProxy(server.port);
    const keys = createKeySchema({ prefix: randomPrefix() });
    system = createRedisSystem(proxy.url, keys);
    direct = createRedisSystem(server.url, keys);
  });
  afterEach(async () => {
    await system.close();
    await direct.close();
    await proxy.stop();
    await server.stop();
  });

  it('finds a subscriber connection that delivers nothing although all other checks succeed', async () => {
    const [one, other] = [await system.start(), await direct.start()];
    const seen: string[] = [];
    await one.bus.subscribeChannel('general', ({ id }) => seen.push(id));
    expect(await one.bus.probe(1000)).toMatchObject({ outcome: 'back' });
    proxy.deafen();
    expect(await one.bus.probe(200)).toEqual({ outcome: 'lost' });
    await other.bus.publish(sampleMessage(), { channel: true });
    await waitFor(() => proxy.swallowed >= 2);
    // Negative control: all other checks find the connection healthy.
    expect(one.bus.available).toBe(true);
    expect(await one.redis.health()).toMatchObject({
      status: 'ok',
      subscriber: { connected: true, unconfirmed: 0, reconnects: 0 },
    });
    expect(seen).toEqual([]);

    let resubscribed = 0;
    one.bus.onResubscribed(() => (resubscribed += 1));
    one.redis.subscriber.reconnect();
    await waitFor(() => resubscribed === 1);
    expect(await one.bus.probe(1000)).toMatchObject({ outcome: 'back' });
    const event = sampleMessage();
    await other.bus.publish(event, { channel: true });
    await waitFor(() => seen.length > 0);
    expect(seen).toEqual([event.id]);
  });

  it('reports `refused` when Redis does not accept it, and answers in time when Redis does not', async () => {
    const { bus } = await direct.start();
    expect(await bus.probe(1000)).toMatchObject({ outcome: 'back' });
    server.freeze();
    const startedMs = performance.now();
    expect(await bus.probe(100)).toEqual({ outcome: 'refused' });
    expect(performance.now() - startedMs).toBeLessThan(1000);
    server.thaw();
    await server.kill();
    await waitFor(() => !bus.available);
    expect(await bus.probe(1000)).toEqual({ outcome: 'refused' });
    await server.restart();
    await waitFor(() => bus.available);
    expect(await bus.probe(1000)).toMatchObject({ outcome: 'back' });
  });

  it('leaves no subscription behind', async () => {
    const { bus } = await direct.start();
    await bus.probe(1000);
    expect(await server.command('PUBSUB CHANNELS')).toContain(':probe:');
    await bus.close();
    expect(await server.command('PUBSUB CHANNELS')).not.toContain(':probe:');
  });
});

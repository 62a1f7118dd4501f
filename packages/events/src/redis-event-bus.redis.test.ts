import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import type { RedisClient } from '@openclaw/redis-client';
import { randomPrefix, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { eventBusContract } from './event-bus.contract.ts';
import { createRedisEventBus } from './redis-event-bus.ts';
import { createRedisSystem, type RedisSystem } from './testing/redis-bench.ts';
import { sampleBroadcast, sampleMessage, sampleTyping } from './testing/sample-events.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

eventBusContract('the event bus on Redis, within one process', async () => {
  const system = createRedisSystem(server.url);
  const { bus } = await system.start();
  return { publisher: bus, subscriber: bus, close: () => system.close() };
});

eventBusContract('the event bus on Redis, between two processes', async () => {
  const system = createRedisSystem(server.url);
  const [one, two] = [await system.start(), await system.start()];
  return { publisher: one.bus, subscriber: two.bus, close: () => system.close() };
});

describe('the event bus on Redis', () => {
  let system: RedisSystem;
  beforeEach(() => {
    system = createRedisSystem(server.url);
  });
  afterEach(() => system.close());

  function counting(redis: RedisClient): { redis: RedisClient; pipelines: number[] } {
    const pipelines: number[] = [];
    const pipeline: RedisClient['pipeline'] = (calls) => {
      pipelines.push(calls.length);
      return redis.pipeline(calls);
    };
    return {
      pipelines,
      redis: Object.create(redis, { pipeline: { value: pipeline } }) as RedisClient,
    };
  }

  it('calls local handlers before publish returns, and drops the echo', async () => {
    const { bus } = await system.start();
    const seen: EncodedEnvelope[] = [];
    await bus.subscribeChannel('general', (event) => seen.push(event));
    await bus.subscribeAllChannels((event) => seen.push(event));
    await bus.subscribeAgent('tech-lead', (event) => seen.push(event));
    const event = sampleMessage();
    const published = bus.publish(event, { channel: true, agents: ['tech-lead'] });
    expect(seen).toEqual([event, event, event]);
    await published;
    await waitFor(() => bus.stats.echoes === 3);
    expect(seen).toEqual([event, event, event]);
    expect(bus.stats).toMatchObject({ published: 1, received: 0, malformed: 0, pending: 0 });
  });

  it('recognizes an echo without parsing it', async () => {
    const { bus, redis } = await system.start();
    await bus.subscribeChannel('general', () => {});
    const event = sampleMessage();
    await bus.publish(event, { channel: true });
    // This message has the id of the bus's own event, but is not JSON. If the bus parsed it, it would count as
    // malformed.
    await redis.send(['publish', system.keys.channelTopic('general'), `{"id":"${event.id}",…`]);
    await waitFor(() => bus.stats.echoes === 2);
    expect(bus.stats.malformed).toBe(0);
  });

  it('delivers each event once to both processes when both publish and subscribe', async () => {
    const [one, two] = [await system.start(), await system.start()];
    const seen: string[][] = [[], []];
    await one.bus.subscribeChannel('general', ({ id }) => seen[0]?.push(id));
    await two.bus.subscribeChannel('general', ({ id }) => seen[1]?.push(id));
    const events = Array.from({ length: 100 }, (_, index) => sampleMessage({ seq: index + 1 }));
    await Promise.all(
      events.map((event, index) => (index % 2 ? one : two).bus.publish(event, { channel: true })),
    );
    await waitFor(() => seen.every((ids) => ids.length >= events.length));
    await waitFor(() => one.bus.stats.echoes + two.bus.stats.echoes === events.length);
    const ids = events.map(({ id }) => id).sort();
    expect(seen.map((each) => each.sort())).toEqual([ids, ids]);
  });

  it('sends all publishes of one tick in one round trip', async () => {
    const { redis: real } = await system.start();
    const { redis, pipelines } = counting(real);
    const bus = createRedisEventBus({ redis, keys: system.keys });
    const publishAll = () =>
      Promise.all([
        bus.publish(sampleMessage({ channelId: 'general' }), {
          channel: true,
          agents: ['tech-lead'],
        }),
        bus.publish(sampleMessage({ channelId: 'random' }), { channel: true }),
        Promise.resolve().then(() => bus.publish(sampleTyping(), { channel: true })),
      ]);
    await publishAll();
    expect(pipelines).toEqual([2]);
    await publishAll();
    expect(pipelines).toEqual([2, 2]);
    await bus.close();
  });

  it('deletes the caches that an edit invalidates, so that no reader gets the old text', async () => {
    const { bus, redis } = await system.start();
    const { keys } = system;
    const invalidated = [keys.recentMessages('general'), keys.channel('general')];
    for (const key of invalidated) await redis.send(['set', key, 'the old text', 'ex', 300]);
    await redis.send(['set', keys.recentMessages('random'), 'another channel’s', 'ex', 300]);
    await bus.publish(sampleMessage({ seq: 12 }), { channel: true }, invalidated);
    expect(await redis.send(['exists', ...invalidated])).toBe(0);
    expect(await redis.send(['exists', keys.recentMessages('random')])).toBe(1);
    expect(await redis.send(['get', keys.sequence('general')])).toBe('12');
  });

  it('deletes the keys that an event without a seq invalidates, and does not change the seq', async () => {
    const { bus, redis } = await system.start();
    const invalidated = system.keys.channelMembers('general');
    await redis.send(['sadd', invalidated, 'tech-lead']);
    await bus.publish(sampleTyping(), { channel: true }, [invalidated]);
    expect(await redis.send(['exists', invalidated, system.keys.sequence('general')])).toBe(0);
  });

  it('rejects cache keys of an event without a channel', async () => {
    const { bus } = await system.start();
    const invalidated = [system.keys.channel('general')];
    await expect(
      bus.publish(sampleBroadcast(), { global: true }, invalidated),
    ).rejects.toMatchObject({
      code: 'invalid_event',
    });
  });

  it('deletes keys and raises the seq for a direct message, which is published only on agents’ topics', async () => {
    const { bus, redis } = await system.start();
    const invalidated = system.keys.recentMessages('dm_1');
    await redis.send(['set', invalidated, 'the old text', 'ex', 300]);
    await bus.publish(sampleMessage({ channelId: 'dm_1', seq: 3 }), { agents: ['a', 'b'] }, [
      invalidated,
    ]);
    expect(await redis.send(['exists', invalidated])).toBe(0);
    expect(await redis.send(['get', system.keys.sequence('dm_1')])).toBe('3');
  });

  it('drops, counts and logs messages that are no envelope of their topic, at most once a second', async () => {
    const lines: object[] = [];
    const { bus, redis } = await system.start({}, { logger: { warn: (line) => lines.push(line) } });
    const { keys } = system;
    const seen: EncodedEnvelope[] = [];
    await bus.subscribeChannel('general', (event) => seen.push(event));
    await bus.subscribeAllChannels((event) => seen.push(event));
    const publish = (topic: string, message: string) => redis.send(['publish', topic, message]);
    const bad = ['', 'garbage', 'null', '[]', '{"id":"', '{"id":"x","event":{}}', '9'];
    for (const message of bad) await publish(keys.channelTopic('general'), message);
    await publish(keys.channelTopic('general'), sampleMessage({ channelId: 'random' }).json);
    await publish(keys.channelPattern.replace('*', 'no:id'), sampleMessage().json);
    const good = sampleMessage();
    await publish(keys.channelTopic('general'), good.json);
    await waitFor(() => seen.length === 2);
    expect(seen).toEqual([good, good]);
    expect(bus.stats).toMatchObject({ malformed: 2 * (bad.length + 1) + 1, received: 2 });
    expect(lines).toHaveLength(1);
  });

  it('reads another system’s envelope with its fields in another order', async () => {
    const { bus, redis } = await system.start();
    const seen: EncodedEnvelope[] = [];
    await bus.subscribeChannel('general', (event) => seen.push(event));
    const event = sampleMessage();
    const { id, ...rest } = JSON.parse(event.json) as { id: string };
    const reordered = JSON.stringify({ ...rest, id });
    await redis.send(['publish', system.keys.channelTopic('general'), reordered]);
    await waitFor(() => seen.length === 1);
    expect(seen).toEqual([event]);
  });

  it('Key namespace isolation: two systems on one Redis do not hear each other, in any database', async () => {
    const other = createRedisSystem(`${server.url}/1`);
    try {
      const [ours, theirs] = [await system.start(), await other.start()];
      const seen: string[] = [];
      await ours.bus.subscribeChannel('general', () => seen.push('general'));
      await ours.bus.subscribeAllChannels(() => seen.push('all'));
      await theirs.bus.publish(sampleMessage(), { channel: true, global: true });
      await ours.redis.send(['publish', system.keys.channelTopic('general'), sampleMessage().json]);
      await waitFor(() => seen.length >= 2);
      expect(seen.sort()).toEqual(['all', 'general']);
    } finally {
      await other.close();
    }
  });

  it('subscribes to a topic once in Redis for any number of handlers, and unsubscribes after the last', async () => {
    const { bus, redis } = await system.start();
    const topic = system.keys.channelTopic('general');
    const subscribers = async () => (await redis.send(['pubsub', 'numsub', topic])) as unknown[];
    const ends = await Promise.all([1, 2, 3].map(() => bus.subscribeChannel('general', () => {})));
    expect((await subscribers())[1]).toBe(1);
    await ends[0]?.();
    await ends[1]?.();
    expect((await subscribers())[1]).toBe(1);
    await ends[2]?.();
    expect((await subscribers())[1]).toBe(0);
  });

  it('rejects pattern subscriptions with sharded pub/sub, and keeps no state of them', async () => {
    const keys = createKeySchema({ prefix: randomPrefix(), hashTags: true });
    const { bus } = await system.start({}, { keys });
    await expect(bus.subscribeAllChannels(() => {})).rejects.toMatchObject({ code: 'unsupported' });
    expect(bus.stats.topics).toBe(0);
  });

  it('publishes to the channel’s shard when the keys have hash tags', async () => {
    const keys = createKeySchema({ prefix: randomPrefix(), hashTags: true });
    const { bus, redis } = await system.start({}, { keys });
    await bus.publish(sampleMessage({ seq: 4 }), { channel: true, agents: ['tech-lead'] });
    await bus.publish(sampleTyping(), { channel: true });
    expect(await redis.send(['get', keys.sequence('general')])).toBe('4');
  });

  // The attack: long messages that mention fifty agents, so each is published on many topics. If each copy counted, the
  // queue would have no room for other events.
  it('counts the characters of an event once, however many topics it is published on', async () => {
    const event = sampleMessage();
    const { bus } = await system.start({ maxPendingCharacters: event.json.length });
    const agents = Array.from({ length: 50 }, (_, n) => `agent-${n}`);
    await bus.publish(event, { channel: true, agents });
    expect(bus.stats).toMatchObject({ published: 1, failed: 0 });
  });

  it.each([{ maxPending: 0 }, { maxPendingCharacters: 1.5 }])('refuses %o', async (options) => {
    await expect(system.start(options)).rejects.toMatchObject({
      name: 'EventsError',
      code: 'invalid_options',
    });
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRedisClient } from '@openclaw/redis-client';
import { freePort, startRedis, waitFor, type RedisServer } from '@openclaw/test-support';
import { createRedisEventBus } from './redis-event-bus.ts';
import { createSequencer, type Sequencer } from './sequencer.ts';
import { createRedisSystem, type RedisProcess, type RedisSystem } from './testing/redis-bench.ts';
import { sampleMessage } from './testing/sample-events.ts';

describe('the event bus when Redis fails', () => {
  let server: RedisServer;
  let system: RedisSystem;
  beforeEach(async () => {
    server = await startRedis();
    system = createRedisSystem(server.url);
  });
  afterEach(async () => {
    await system.close();
    await server.stop();
  });

  const unavailable = expect.objectContaining({ name: 'EventsError', code: 'unavailable' });

  it('Redis connection lost: local handlers are still called, and a publish rejects', async () => {
    const lines: object[] = [];
    const { bus } = await system.start({}, { logger: { warn: (line) => lines.push(line) } });
    const seen: string[] = [];
    await bus.subscribeChannel('general', ({ id }) => seen.push(id));
    await server.kill();
    await waitFor(() => !bus.available);
    const event = sampleMessage();
    const published = bus.publish(event, { channel: true });
    expect(seen).toEqual([event.id]);
    await expect(published).rejects.toEqual(unavailable);
    await expect(bus.nextSeq('general')).rejects.toEqual(unavailable);
    expect(bus.stats).toMatchObject({ failed: 1, published: 0, pending: 0 });
    expect(lines).toHaveLength(1);
  });

  // The negative control is the test above.
  it('counts failed publishes without logging each when Redis was never available', async () => {
    const lines: object[] = [];
    const redis = createRedisClient({ url: `redis://127.0.0.1:${await freePort()}` });
    const logger = { warn: (line: object) => lines.push(line) };
    const bus = createRedisEventBus({ redis, keys: system.keys, logger });
    await expect(bus.publish(sampleMessage(), { channel: true })).rejects.toEqual(unavailable);
    expect(bus.stats.failed).toBe(1);
    expect(lines).toEqual([]);
    await bus.close();
    await redis.close();
  });

  // The fault: Redis answers reads and PINGs but refuses the publish script. The bus must report the refusal, so that
  // its user reads the log. The calls before and after it are the negative control.
  it.each([
    {
      how: 'its memory is full',
      begin: 'CONFIG SET maxmemory 1000000 maxmemory-policy noeviction',
      end: 'CONFIG SET maxmemory 0',
    },
    {
      how: 'a command is denied',
      begin: 'ACL SETUSER default -set',
      end: 'ACL SETUSER default +set',
    },
  ])(
    'Redis refuses writes: local handlers are still called, and the bus is unavailable: $how',
    async ({ begin, end }) => {
      const { bus } = await system.start();
      const seen: string[] = [];
      await bus.subscribeChannel('general', ({ id }) => seen.push(id));
      await bus.publish(sampleMessage({ seq: 1 }), { channel: true });
      expect(await bus.probe(1000)).toMatchObject({ outcome: 'back' });
      await server.command(begin);
      await expect(bus.publish(sampleMessage({ seq: 2 }), { channel: true })).rejects.toEqual(
        unavailable,
      );
      expect(seen).toHaveLength(2);
      expect(bus.available).toBe(false);
      expect(await bus.probe(1000)).toEqual({ outcome: 'refused' });
      await server.command(end);
      let seq = 2;
      await waitFor(() =>
        bus.publish(sampleMessage({ seq: (seq += 1) }), { channel: true }).then(
          () => true,
          () => false,
        ),
      );
      expect(bus.available).toBe(true);
      expect(await bus.probe(1000)).toMatchObject({ outcome: 'back' });
    },
  );

  it('lets the promise of a failed publish be ignored', async () => {
    const { bus } = await system.start();
    await server.kill();
    await waitFor(() => !bus.available);
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    void bus.publish(sampleMessage(), { channel: true });
    await waitFor(() => bus.stats.failed === 1);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });

  it('Redis reconnection recovery: restores all subscriptions, including those made meanwhile, and reports the gap', async () => {
    const [one, two] = [await system.start(), await system.start()];
    const seen: string[] = [];
    let resubscribed = 0;
    two.bus.onResubscribed(() => (resubscribed += 1));
    await two.bus.subscribeChannel('general', () => seen.push('general'));
    const ended = await two.bus.subscribeChannel('ended', () => seen.push('ended'));
    await server.kill();
    await waitFor(() => !one.bus.available && !two.bus.available);
    await two.bus.subscribeAllChannels(() => seen.push('all'));
    await ended();
    await server.restart();
    await waitFor(() => one.bus.available && two.bus.available);
    expect(resubscribed).toBe(1);
    await one.bus.publish(sampleMessage({ channelId: 'ended' }), { channel: true });
    await one.bus.publish(sampleMessage(), { channel: true });
    await waitFor(() => seen.includes('general') && seen.length >= 3);
    expect(seen.sort()).toEqual(['all', 'all', 'general']);
  });

  it('rejects publishes over its limits at once while Redis is frozen, and delivers nothing twice afterwards', async () => {
    const { bus } = await system.start({ maxPending: 5 });
    const seen: string[] = [];
    await bus.subscribeChannel('general', ({ id }) => seen.push(id));
    server.freeze();
    const events = Array.from({ length: 8 }, (_, index) => sampleMessage({ seq: index + 1 }));
    const results = events.map((event) => bus.publish(event, { channel: true }));
    expect(bus.stats.pending).toBe(5);
    expect(seen).toEqual(events.map(({ id }) => id));
    for (const refused of results.slice(5)) await expect(refused).rejects.toEqual(unavailable);
    await Promise.allSettled(results);
    server.thaw();
    await waitFor(() => bus.available);
    // A command that timed out may still run, so the bus must recognize its echo.
    const last = sampleMessage({ seq: 9 });
    await waitFor(() =>
      bus.publish(last, { channel: true }).then(
        () => true,
        () => false,
      ),
    );
    await waitFor(() => bus.stats.echoes >= 1);
    expect(new Set(seen)).toEqual(new Set([...events, last].map(({ id }) => id)));
    expect(seen.filter((id) => id !== last.id)).toEqual(events.map(({ id }) => id));
    expect(bus.stats.received).toBe(0);
  });

  describe('with a sequencer behind the bus', () => {
    const log = Array.from({ length: 6 }, (_, index) => sampleMessage({ seq: index + 1 }));
    const event = (seq: number) => log[seq - 1] ?? sampleMessage({ seq });
    let one: RedisProcess;
    let two: RedisProcess;
    let sequencer: Sequencer;
    let seen: (number | null)[];
    let committed: number;
    let resubscribed: number;
    beforeEach(async () => {
      [one, two] = [await system.start(), await system.start()];
      seen = [];
      committed = 0;
      resubscribed = 0;
      two.bus.onResubscribed(() => (resubscribed += 1));
      sequencer = createSequencer({
        channelId: 'general',
        epoch: 'epoch-1',
        head: 0,
        deliver: ({ seq }) => seen.push(seq),
        fetch: async (after, limit) => log.slice(after, Math.min(committed, after + limit)),
      });
      await two.bus.subscribeChannel('general', (message) => sequencer.offer(message));
    });
    afterEach(() => sequencer.close());

    const publish = (seq: number) => {
      committed = Math.max(committed, seq);
      return one.bus.publish(event(seq), { channel: true });
    };
    const cutSubscribers = () => one.redis.send(['client', 'kill', 'type', 'pubsub']);

    it('Message loss scenarios: events lost by pub/sub in the middle are fetched with the next event', async () => {
      await publish(1);
      await waitFor(() => seen.length === 1);
      await cutSubscribers();
      await publish(2);
      await publish(3);
      await waitFor(() => resubscribed === 1);
      expect(seen).toEqual([1]);
      await publish(4);
      await waitFor(() => sequencer.head === 4);
      expect(seen).toEqual([1, 2, 3, 4]);
    });

    it('Message loss scenarios: a lost last message of a burst is found by the store’s head', async () => {
      await publish(1);
      await waitFor(() => seen.length === 1);
      await cutSubscribers();
      await publish(2);
      await waitFor(() => resubscribed === 1);
      // Negative control: pub/sub lost event 2, and no later event shows the gap.
      expect(seen).toEqual([1]);
      sequencer.raise(2);
      await waitFor(() => sequencer.head === 2);
      expect(seen).toEqual([1, 2]);
    });

    it('delivers repeated and reordered events once and in order', async () => {
      committed = 6;
      for (const seq of [2, 1, 1, 3, 2, 5, 4, 4, 6, 1, 6]) await publish(seq);
      await waitFor(() => sequencer.head === 6);
      await waitFor(() => two.bus.stats.received === 11);
      expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    });
  });
});

import { createRedisEventBus } from '@openclaw/events';
import { createKeySchema } from '@openclaw/key-schema';
import { encodeEnvelope, type Envelope } from '@openclaw/protocol';
import { createRedisClient } from '@openclaw/redis-client';
import type { Comparison, Contestant } from './contestant.ts';
import { connectPeerRedis } from './peer-redis.ts';

const channelId = 'events';

function envelopeOf(at: number): Envelope {
  return {
    id: `event-${at}`,
    timestamp: Date.now(),
    senderId: 'sender',
    senderKind: null,
    channelId,
    seq: at + 1,
    epoch: 'bench',
    event: { type: 'collaboration.event', channelId, name: 'tick', payload: { at } },
  };
}

function createArrivals() {
  const waiting = new Map<string, () => void>();
  return {
    arrived(id: string) {
      waiting.get(id)?.();
      waiting.delete(id);
    },
    of: (id: string) => new Promise<void>((resolve) => waiting.set(id, resolve)),
  };
}

export const eventDelivery: Comparison = {
  name: 'events',
  description: 'publishes an event of a channel, and receives it on another connection',
  concurrency: 50,
  contestants: [
    async ({ url }): Promise<Contestant> => {
      const keys = createKeySchema({ prefix: 'bench:' });
      const clients = [createRedisClient({ url }), createRedisClient({ url })] as const;
      const [sending, receiving] = clients.map((redis) => createRedisEventBus({ redis, keys }));
      if (!sending || !receiving) throw new Error('there are two clients');
      await Promise.all(clients.map((client) => client.ready()));
      const arrivals = createArrivals();
      await receiving.subscribeChannel(channelId, (event) => arrivals.arrived(event.id));
      return {
        name: '@openclaw/events',
        promise: 'the highest seq is raised and outdated cache keys are deleted with it',
        operate: async (at) => {
          const event = encodeEnvelope(envelopeOf(at));
          const arrival = arrivals.of(event.id);
          await sending.publish(event, { channel: true });
          await arrival;
        },
        async [Symbol.asyncDispose]() {
          await Promise.all([sending.close(), receiving.close()]);
          await Promise.all(clients.map((client) => client.close()));
        },
      };
    },
    async ({ url }): Promise<Contestant> => {
      const [sending, receiving] = await Promise.all([
        connectPeerRedis(url),
        connectPeerRedis(url),
      ]);
      const arrivals = createArrivals();
      receiving.on('message', (_, text) => arrivals.arrived((JSON.parse(text) as Envelope).id));
      await receiving.subscribe('bare');
      return {
        name: 'bare ioredis',
        promise: 'PUBLISH and nothing else',
        operate: async (at) => {
          const event = envelopeOf(at);
          const arrival = arrivals.of(event.id);
          await sending.publish('bare', JSON.stringify(event));
          await arrival;
        },
        [Symbol.asyncDispose]: async () =>
          void (await Promise.all([sending.quit(), receiving.quit()])),
      };
    },
  ],
};

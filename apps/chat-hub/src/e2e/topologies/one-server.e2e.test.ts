import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import {
  redisHealth,
  startRedis,
  startTcpProxy,
  waitFor,
  type RedisServer,
  type RpcSocket,
  type TcpProxy,
} from '@openclaw/test-support';
import { deliverySuite, type Fault, type FaultScene, type Topology } from './delivery.contract.ts';

interface OneServer extends Topology {
  readonly redis: RedisServer;
  readonly proxy: TcpProxy;
}

const keys = createKeySchema();
const infoOf = async (redis: RedisServer, field: string) =>
  Number(new RegExp(`${field}:(\\d+)`).exec(await redis.command('INFO'))?.[1]);
const seqIn = async (redis: RedisServer, channelId: string, before = '') =>
  Number(
    /\$\d+\r\n(\d+)$/.exec(await redis.command(`${before}GET ${keys.sequence(channelId)}`))?.[1],
  );
const firstChannel = ({ traffic }: FaultScene) => traffic.channels[0] as string;

/** Saves Redis to disk and waits for further messages. Resolves with the saved seq of the first channel. */
async function saveAndGoOn(redis: RedisServer, scene: FaultScene): Promise<number> {
  // SAVE and GET are sent in one write, so that no publish comes between them.
  const saved = await seqIn(redis, firstChannel(scene), 'SAVE\r\n');
  await scene.traffic.moreAcks(60);
  expect(await seqIn(redis, firstChannel(scene))).toBeGreaterThan(saved);
  return saved;
}

/**
 * Leases that are lost while all connections stay open are written again with the next heartbeat, at most 10 s later.
 */
const heartbeatMs = 12_000;

const faults: Fault<OneServer>[] = [
  {
    title: 'a kill -9 of the server, which comes back empty',
    cutOff: [0, 1],
    strike: ({ redis }) => redis.kill(),
    recover: ({ redis }) => redis.restart(),
  },
  {
    title: 'a server that freezes (SIGSTOP) and thaws',
    cutOff: [0, 1],
    strike: async ({ redis }) => redis.freeze(),
    recover: async ({ redis }) => redis.thaw(),
  },
  {
    title: 'a wipe (FLUSHALL) that no connection notices',
    cutOff: [],
    recoveredMs: 2_000,
    async strike({ redis }) {
      expect(await redis.command('FLUSHALL')).toBe('+OK');
    },
  },
  {
    // The connections stay open, so no hub notices that Redis was rolled back.
    title: 'a rollback to an older snapshot under the connections (DEBUG RELOAD)',
    cutOff: [],
    async strike({ redis }, scene) {
      const saved = await saveAndGoOn(redis, scene);
      const before = 'DEBUG RELOAD NOSAVE\r\n';
      expect(await seqIn(redis, firstChannel(scene), before)).toBe(saved);
    },
  },
  {
    title: 'a kill -9 of the server, which comes back with an older snapshot',
    cutOff: [0, 1],
    async strike({ redis }, scene) {
      await saveAndGoOn(redis, scene);
      await redis.kill();
    },
    async recover({ redis }) {
      await redis.restart();
      expect(await redis.command('DBSIZE')).not.toBe(':0');
    },
  },
  {
    title: 'one hub cut off from Redis, without a FIN',
    cutOff: [1],
    strike: async ({ proxy }) => proxy.stall(),
    async recover({ proxy }) {
      proxy.resume();
      proxy.cut();
    },
  },
  {
    title: 'one hub that reaches Redis but receives no messages from it',
    cutOff: [1],
    strike: async ({ proxy }) => proxy.stallReplies(),
    async recover({ proxy }) {
      proxy.resume();
      proxy.cut();
    },
  },
  {
    title: 'a memory so full (allkeys-lru) that every key is evicted and none is taken',
    cutOff: [],
    recoveredMs: heartbeatMs,
    async strike({ redis }) {
      const evicted = await infoOf(redis, 'evicted_keys');
      await redis.command('CONFIG SET maxmemory-policy allkeys-lru maxmemory 1');
      await waitFor(async () => (await redis.command('DBSIZE')) === ':0', {
        what: 'an empty Redis',
      });
      expect(await infoOf(redis, 'evicted_keys')).toBeGreaterThan(evicted);
    },
    async recover({ redis }) {
      await redis.command('CONFIG SET maxmemory 0');
    },
  },
  {
    // Redis disconnects a subscriber with too much unread output, and discards this output.
    title: 'subscribers that Redis kills for their output buffer',
    cutOff: [],
    async strike({ redis }, { traffic, hubs }) {
      await redis.command('CONFIG SET client-output-buffer-limit "pubsub 40000 0 0"');
      const reconnects = async () => (await redisHealth(hubs[1])).subscriber.reconnects;
      const before = await reconnects();
      const channelId = traffic.channels[0] as string;
      const writer = traffic.writers[0] as RpcSocket;
      await waitFor(
        async () => {
          const burst = Array.from({ length: 12 }, () =>
            writer.call('message.send', { channelId, content: randomUUID().repeat(800) }),
          );
          await Promise.all(burst);
          return (await reconnects()) > before;
        },
        { what: 'a killed subscriber', timeoutMs: 20_000, everyMs: 100 },
      );
    },
    async recover({ redis }) {
      await redis.command('CONFIG SET client-output-buffer-limit "pubsub 33554432 8388608 60"');
    },
  },
];

deliverySuite<OneServer>(
  'one server',
  async () => {
    const redis = await startRedis({ args: ['--enable-debug-command', 'local'] });
    const proxy = await startTcpProxy(redis.port);
    return {
      redis,
      proxy,
      env: { REDIS_URL: redis.url },
      second: { REDIS_URL: `redis://127.0.0.1:${proxy.port}` },
      async stop() {
        await proxy.stop();
        await redis.stop();
      },
    };
  },
  faults,
);

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  connectRpc,
  inspectorEnv,
  openInspector,
  startHub,
  startRedis,
  type HubProcess,
  type Inspector,
  type RedisServer,
  type RpcSocket,
} from '@openclaw/test-support';

const channelIds = Array.from({ length: 250 }, (_, n) => `room-${n}`);
let redis: RedisServer;
let hub: HubProcess;
let inspector: Inspector;
let ana: RpcSocket;

const connect = () => connectRpc(`${hub.url}/v1/ws?agent=ana`);
beforeAll(async () => {
  redis = await startRedis();
  hub = await startHub({ env: { REDIS_URL: redis.url, ...inspectorEnv } });
  inspector = await openInspector(() => hub.output());
  ana = await connect();
  for (const channelId of channelIds) await ana.call('channel.create', { channelId, name: 'r' });
}, 60_000);
afterAll(async () => {
  inspector?.close();
  await hub?.stop();
  await redis?.stop();
});

const enter = (socket: RpcSocket) =>
  socket.call('subscribe', { topics: channelIds.map((channelId) => ({ channelId })) });
const leave = (socket: RpcSocket) => socket.call('unsubscribe', { channelIds });

async function listeners(): Promise<number[]> {
  const topics = (await redis.command('PUBSUB CHANNELS *room-*'))
    .split('\r\n')
    .filter((line) => line.includes('room-'));
  const counts = await redis.command(`PUBSUB NUMSUB ${topics.join(' ')}`);
  return [...counts.matchAll(/^:(\d+)/gm)].map(([, count]) => Number(count));
}

describe('10,000 joins and leaves', () => {
  // The fault: each time a session entered a room, a listener stayed behind.
  it('leave no memory in use, neither in the hub nor in Redis', async () => {
    const comeAndGo = async () => {
      for (let pass = 0; pass < 10_000 / channelIds.length; pass += 1) {
        await enter(ana);
        await leave(ana);
      }
    };
    // The first run also creates lasting state, such as compiled code.
    await comeAndGo();
    // A leak grows in each run, and other allocations do not, so one run without growth is enough.
    const growths: number[] = [];
    while (growths.length < 8 && !growths.some((growth) => growth <= 0)) {
      const before = await inspector.retainedBytes();
      await comeAndGo();
      growths.push((await inspector.retainedBytes()) - before);
    }
    expect(await listeners()).toEqual(channelIds.map(() => 1));

    // Negative control: joins without a leave do increase the memory.
    const sockets = await Promise.all(Array.from({ length: 40 }, connect));
    const idle = await inspector.retainedBytes();
    for (const socket of sockets) await enter(socket);
    const held = (await inspector.retainedBytes()) - idle;
    expect(Math.min(...growths)).toBeLessThan(held / 2);
    await Promise.all(sockets.map((socket) => socket.close()));
    await ana.close();
  }, 120_000);
});

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  clientFrame,
  connectRpc,
  openRawSocket,
  startRedis,
  startTcpProxy,
  waitFor,
  type RedisServer,
  type RpcSocket,
  type TcpProxy,
} from '@openclaw/test-support';
import { heartbeatMs } from '../sockets/heartbeat.ts';
import {
  startTestHub,
  temporaryDatabase,
  type TestDatabase,
  type TestHub,
} from '../testing/test-hub.ts';

let redis: RedisServer;
let database: TestDatabase;
let hub: TestHub;
let proxy: TcpProxy;
let ben: RpcSocket;

beforeAll(async () => {
  jest
    .spyOn(Date, 'now')
    .mockImplementation(() => Math.round(performance.timeOrigin + performance.now()) + aheadMs);
  redis = await startRedis();
  database = await temporaryDatabase();
  // Presence uses Redis' clock, which the test does not change.
  hub = await startTestHub({ REDIS_URL: redis.url, HUB_DB_URL: database.url });
  await waitFor(() => hub.redis.available, { what: 'Redis for the hub' });
  proxy = await startTcpProxy(Number(new URL(hub.url).port));
  ben = await hub.connect('ben');
  await ben.call('channel.create', { channelId: 'c', name: 'C' });
  await ben.call('subscribe', { topics: [{ channelId: 'c' }] });
});
afterAll(async () => {
  jest.restoreAllMocks();
  await ben?.close();
  await proxy?.stop();
  await hub?.close();
  await redis?.stop();
  await database?.remove();
});

// Never decreases, because after a step back the hub's timers would fire much later.
let aheadMs = 0;

/** Advances the hub's clock so that this many heartbeats become due, one after the other. */
async function passHeartbeats(count: number): Promise<void> {
  let pings = 0;
  const heard = () => void (pings += 1);
  ben.ws.on('ping', heard);
  for (let beat = 1; beat <= count; beat++) {
    aheadMs += heartbeatMs;
    // The hub pings all due sockets in one sweep, so the other sockets were pinged too.
    await waitFor(() => pings >= beat, { what: `ping ${beat}` });
  }
  ben.ws.off('ping', heard);
}

describe('a half-open socket', () => {
  // The race: a client's host vanishes without a FIN.
  it('whose peer vanished is closed with 4408 at the third heartbeat, and its agent is offline', async () => {
    const ana = await connectRpc(`ws://127.0.0.1:${proxy.port}/v1/ws?agent=ana`);
    await ana.call('channel.join', { channelId: 'c' });
    await ana.call('subscribe', { topics: [{ channelId: 'c' }] });
    const seen = (status: string) =>
      ben.events
        .flatMap(({ event }) => (event.type === 'channel.presence' ? event.presences : []))
        .filter(
          (presence: { agentId: string; status: string }) =>
            presence.agentId === 'ana' && presence.status === status,
        );
    await waitFor(() => seen('online').length > 0, { what: 'ana online' });
    proxy.stall();
    await passHeartbeats(2);
    expect(seen('offline')).toEqual([]);
    await passHeartbeats(1);
    await waitFor(() => seen('offline').length > 0, { what: 'ana offline' });
    proxy.resume();
    expect((await ana.closed).code).toBe(4408);
    expect(ben.ws.readyState).toBe(ben.ws.OPEN);
    expect(seen('offline')).toHaveLength(1);
  });

  it('that stops in the middle of a frame is closed with 4408 as well', async () => {
    const raw = await openRawSocket(`${hub.url.replace('http', 'ws')}/v1/ws?agent=cem`);
    raw.write(clientFrame('{"jsonrpc"', { declaredLength: 200_000 }));
    await passHeartbeats(3);
    expect(await raw.closed).toBe(4408);
    raw.destroy();
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { createRedisLeaseStore, type LeaseStore } from '@openclaw/presence';
import { createRedisClient } from '@openclaw/redis-client';
import { startRedis, startTcpProxy, waitFor, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import type { PresenceTimes } from '../presence/roster-watch.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';
import { statusesOf, presenceEvents } from '../testing/presence-events.ts';

// These are the default periods divided by five. A silent hub still counts as dead only after five seconds.
const times: PresenceTimes = { leaseMs: 6_000, heartbeatMs: 2_000, compareMs: 3_000 };
let ana: RpcSocket;
let ben: RpcSocket;
let channelId: string;
let channels = 0;

const redis = closeAfterAll(await startRedis());
const proxy = closeAfterAll(await startTcpProxy(redis.port));
const database = closeAfterAll(await temporaryDatabase());
const environment = { HUB_DB_URL: database.url, LOG_LEVEL: 'error' };
const hubA = closeAfterAll(await startTestHub({ ...environment, REDIS_URL: redis.url }, { times }));
const hubB = closeAfterAll(
  await startTestHub({ ...environment, REDIS_URL: `redis://127.0.0.1:${proxy.port}` }, { times }),
);
const direct = closeAfterAll(createRedisClient({ url: redis.url }));
await waitFor(() => hubA.redis.available && hubB.redis.available && direct.available, {
  what: 'Redis for everyone',
});

beforeEach(async () => {
  channelId = `faults-${(channels += 1)}`;
  ana = await hubA.connect('ana');
  ben = await hubB.connect('ben');
  await ana.call('channel.create', { channelId, name: channelId });
  for (const agentId of ['ben', 'ghost', 'cem'])
    await ana.call('member.add', { channelId, agentId });
  for (const socket of [ana, ben]) await socket.call('subscribe', { topics: [{ channelId }] });
  await waitFor(() => statusesOf(ana, channelId, 'ben').length > 0, { what: 'Ben online' });
});
afterEach(async () => {
  await Promise.all([ana.close(), ben.close()]);
  // A failed test may have left the proxy paused.
  proxy.resume();
  await waitFor(() => hubB.redis.available, { what: 'Redis for hub B' });
});

/** A hub without heartbeats counts as dead, so other hubs reap its leases. */
function deadHub(leaseMs: number): LeaseStore {
  return createRedisLeaseStore({ redis: direct, keys: createKeySchema() }, { leaseMs });
}
const lease = (agentId: string) => ({ agentId, hubId: 'dead-hub', sessionId: `${agentId}-1` });

const agentsOf = (socket: RpcSocket) =>
  socket
    .call('presence.list', { channelId, limit: 200 })
    .then(
      ({ presences }) => presences.map(({ agentId }: { agentId: string }) => agentId) as string[],
    );
const offlineOf = (socket: RpcSocket) =>
  presenceEvents(socket, channelId)
    .filter(({ status }) => status === 'offline')
    .map(({ agentId }) => agentId);
const passed = (ms: number) => {
  const endMs = performance.now() + ms;
  return waitFor(() => performance.now() > endMs, { timeoutMs: ms + 5_000, everyMs: 50 });
};

describe('presence on two hubs', () => {
  // The race: Redis restarts from a snapshot with a lease that hub B has already ended. Negative control: hub B
  // renews Ben's own lease.
  it('ends a lease that a restored snapshot brought back, although its hub is alive', async () => {
    const strayed = createRedisLeaseStore({ redis: direct, keys: createKeySchema() }, times);
    await strayed.join(channelId, { agentId: 'cem', hubId: hubB.hubId, sessionId: 'given-up' });
    expect(await agentsOf(ana)).toEqual(['ana', 'ben', 'cem']);
    await waitFor(() => offlineOf(ana).includes('cem'), { timeoutMs: 3 * times.leaseMs });
    expect(offlineOf(ana)).toEqual(['cem']);
    expect(await agentsOf(ana)).toEqual(['ana', 'ben']);
  });

  // The race: hub B cannot renew its leases, and hub A sees them expire.
  it('reports nobody offline when one hub is cut off from Redis for three leases', async () => {
    proxy.stall();
    await waitFor(() => !hubB.redis.available, { what: 'the cut' });
    await deadHub(times.leaseMs).join(channelId, lease('ghost'));
    const seen = new Set<string>();
    const endMs = performance.now() + 3 * times.leaseMs;
    await waitFor(
      async () => {
        for (const agentId of await agentsOf(ana)) seen.add(agentId);
        expect(await agentsOf(ana)).toContain('ben');
        return performance.now() > endMs;
      },
      { timeoutMs: 30_000, everyMs: 100 },
    );
    // Leases of dead hubs are still reaped. The hub without Redis marks its lists as local.
    expect(offlineOf(ana)).toEqual(['ghost']);
    expect(await ben.call('presence.list', { channelId })).toMatchObject({ degraded: true });
    proxy.resume();
    proxy.cut();
    await waitFor(() => hubB.redis.available, { what: 'Redis for hub B' });
    await passed(times.leaseMs + 2 * times.compareMs);
    expect(offlineOf(ana)).toEqual(['ghost']);
    expect(offlineOf(ben)).toEqual([]);
    expect((await agentsOf(ben)).sort()).toEqual(['ana', 'ben']);
  }, 90_000);

  // The race: all leases expire while Redis is frozen, or are lost when Redis is killed. Invariants: the first hub that
  // reconnects does not report the other hub's agents offline; agents that left during the outage go offline one lease
  // after the outage.
  it.each(['frozen', 'killed, and comes back empty'])(
    'reports nobody offline when Redis is %s for longer than a lease',
    async (how) => {
      if (how === 'frozen') {
        await deadHub(times.leaseMs).join(channelId, lease('ghost'));
        redis.freeze();
      } else {
        await redis.kill();
      }
      await waitFor(() => !hubA.redis.available && !hubB.redis.available, { what: 'the outage' });
      await passed(times.leaseMs + 1_000);
      if (how === 'frozen') redis.thaw();
      else await redis.restart();
      await waitFor(() => hubA.redis.available || hubB.redis.available, { what: 'Redis' });
      const backMs = Date.now();
      await waitFor(() => hubA.redis.available && hubB.redis.available && direct.available, {
        what: 'Redis for everyone',
      });
      if (how !== 'frozen') await deadHub(50).join(channelId, lease('ghost'));
      await waitFor(async () => (await agentsOf(ana)).filter((id) => id !== 'ghost').length === 2, {
        what: 'both in the roster again',
      });
      // Each hub writes its leases again at once, without waiting for its next heartbeat.
      expect(Date.now() - backMs).toBeLessThan(2_000);
      await waitFor(() => offlineOf(ana).length > 0, { what: 'the ghost’s end' });
      const [ended] = presenceEvents(ana, channelId).filter(({ status }) => status === 'offline');
      expect((ended?.atMs ?? 0) - backMs).toBeGreaterThan(times.leaseMs - 500);
      await passed(2 * times.compareMs);
      expect(offlineOf(ana)).toEqual(['ghost']);
      expect(offlineOf(ben)).toEqual(['ghost']);
    },
    90_000,
  );

  // The race: Redis loses all leases while its connections stay open and rosters are compared.
  it('reports nobody offline when Redis is wiped, and lists all again within a second', async () => {
    await direct.send(['flushall']);
    expect(await agentsOf(ana)).toEqual([]);
    await waitFor(async () => (await agentsOf(ana)).length === 2, {
      timeoutMs: 1_000,
      what: 'both in the roster again',
    });
    await passed(3 * times.compareMs);
    expect([...offlineOf(ana), ...offlineOf(ben)]).toEqual([]);
  });

  // The race: a hub dies, and Redis loses its leases before they expire, so no reaper sees them. Invariant: only the
  // dead hub's agents are reported offline, once, at most one lease and one second after its death.
  it.each([
    { when: 'soon after its death', afterMs: 500 },
    { when: 'when its leases are about to end', afterMs: times.leaseMs - 600 },
  ])(
    'reports the agents of a dead hub offline in time, though Redis is wiped $when',
    async ({ afterMs }) => {
      const elsewhere = deadHub(times.leaseMs);
      const entry = { channelId, lease: lease('ghost') };
      const online = { status: 'online', customStatus: null, avatar: null } as const;
      await elsewhere.join(channelId, entry.lease);
      await waitFor(
        async () => {
          await elsewhere.renew([{ ...entry, state: online }]);
          return [ana, ben].every((socket) => statusesOf(socket, channelId, 'ghost').length > 0);
        },
        { what: 'the arrival', everyMs: 100 },
      );
      const diedMs = Date.now();
      await passed(afterMs);
      await direct.send(['flushall']);
      await waitFor(() => [...offlineOf(ana), ...offlineOf(ben)].length === 2, {
        what: 'the end',
        timeoutMs: 20_000,
      });
      for (const socket of [ana, ben]) {
        const ended = presenceEvents(socket, channelId).find(({ status }) => status === 'offline');
        expect((ended?.atMs ?? 0) - diedMs).toBeLessThanOrEqual(times.leaseMs + 1_000);
      }
      await passed(2 * times.compareMs);
      expect([offlineOf(ana), offlineOf(ben)]).toEqual([['ghost'], ['ghost']]);
      expect(await agentsOf(ana)).toEqual(['ana', 'ben']);
    },
    60_000,
  );

  // The race: presence changed, but the event was lost. These changes are written to Redis directly, so only the
  // comparison of rosters can find them.
  it('announces a difference between rosters and events once', async () => {
    const elsewhere = deadHub(60_000);
    await elsewhere.join(channelId, lease('ghost'));
    const isTold = (status: string) => () =>
      [ana, ben].every((socket) => statusesOf(socket, channelId, 'ghost').at(-1) === status);
    await waitFor(isTold('online'), { timeoutMs: times.compareMs + 2_000, what: 'the arrival' });
    await elsewhere.update([channelId], 'ghost', {
      status: 'away',
      customStatus: null,
      avatar: null,
    });
    await waitFor(isTold('away'), { timeoutMs: times.compareMs + 2_000, what: 'the change' });
    await elsewhere.leave(channelId, lease('ghost'));
    await waitFor(isTold('offline'), { timeoutMs: 2 * times.compareMs + 2_000, what: 'the end' });
    await passed(2 * times.compareMs);
    for (const socket of [ana, ben]) {
      expect(statusesOf(socket, channelId, 'ghost')).toEqual(['online', 'away', 'offline']);
    }
    expect(offlineOf(ana)).toEqual(['ghost']);
  }, 60_000);

  // The present agents are on other hubs. Invariant: the push limit counts the agents of all hubs.
  it('is not pushed while over a thousand agents are present, and is again when they are fewer', async () => {
    const elsewhere = deadHub(60_000);
    const crowd = Array.from({ length: 1_000 }, (_, n) => ({
      channelId: `${channelId}-crowd`,
      lease: lease(`a${n}`),
    }));
    const crowded = `${channelId}-crowd`;
    await elsewhere.joinMany(crowd);
    await ana.call('channel.create', { channelId: crowded, name: crowded });
    for (const agentId of ['ben', 'cem'])
      await ana.call('member.add', { channelId: crowded, agentId });
    const enter = async (socket: RpcSocket) =>
      (await socket.call('subscribe', { topics: [{ channelId: crowded }] })).topics[0]
        .presencePushed;
    expect(await enter(ana)).toBe(true);
    await waitFor(() => statusesOf(ana, crowded, 'ana').length > 0, { what: 'Ana’s own arrival' });
    expect(await enter(ben)).toBe(false);
    // On a busy machine, hub A may answer Ana's subscribe before it reads the roster. Until that read, hub A pushes
    // arrivals.
    await waitFor(async () => !(await enter(ana)), { what: 'hub A to know' });
    const cem = await hubA.connect('cem');
    expect(await enter(cem)).toBe(false);
    expect(presenceEvents(ana, crowded).filter(({ agentId }) => agentId === 'cem')).toEqual([]);
    await elsewhere.leaveMany(crowd.slice(0, 500));
    await waitFor(() => statusesOf(ana, crowded, 'cem').length > 0, {
      what: 'the difference',
      timeoutMs: 3 * times.compareMs,
    });
    expect(await enter(cem)).toBe(true);
    await cem.close();
    await waitFor(() => statusesOf(ana, crowded, 'cem').at(-1) === 'offline', {
      what: 'Cem’s end',
    });
  }, 60_000);

  // The fault (Rocket.Chat#20147): one envelope for each change of presence.
  it('of many flapping agents comes in few envelopes, on the other hub too, and ends with the true state', async () => {
    const agents = Array.from({ length: 150 }, (_, n) => `flapper-${n}`);
    for (const agentId of agents) await ana.call('member.add', { channelId, agentId });
    const envelopes = (socket: RpcSocket) =>
      socket.events.filter(
        (envelope) =>
          envelope.channelId === channelId && envelope.event.type === 'channel.presence',
      ).length;
    const before = envelopes(ben);
    const startMs = performance.now();
    const rounds = 4;
    for (let round = 0; round < rounds; round += 1) {
      const sockets = await Promise.all(agents.map((agentId) => hubA.connect(agentId)));
      await Promise.all(
        sockets.map((socket) => socket.call('subscribe', { topics: [{ channelId }] })),
      );
      await Promise.all(sockets.map((socket) => socket.close()));
    }
    await waitFor(async () => (await agentsOf(ana)).length === 2, { what: 'all gone' });
    await waitFor(
      () => agents.every((agentId) => statusesOf(ben, channelId, agentId).at(-1) !== 'online'),
      { what: 'every agent’s presence' },
    );
    const windows = (performance.now() - startMs) / 50 + 2;
    expect(envelopes(ben) - before).toBeLessThanOrEqual(2 * windows);
    expect(envelopes(ben) - before).toBeLessThan((rounds * agents.length) / 2);
  }, 60_000);
});

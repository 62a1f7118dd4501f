import { describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { waitFor, type RpcSocket } from '@openclaw/test-support';
import type { PresenceTimes } from '../presence/roster-watch.ts';
import type { TestHub } from '../testing/test-hub.ts';
import { presenceEvents } from '../testing/presence-events.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const times: PresenceTimes = { leaseMs: 3_000, heartbeatMs: 1_000, compareMs: 1_500 };
const keys = createKeySchema();

// Warnings are not logged, because the test causes many.
const { redis, hubA, hubB } = await startTwoHubs({ LOG_LEVEL: 'error' }, { times });
const hubs = [hubA, hubB];

async function said(hub: TestHub, socket: RpcSocket, channelId: string) {
  const { ready, redis: state, publishPath } = (await hub.request('ana', 'GET', '/readyz')).body;
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  const list = await socket.call('presence.list', { channelId });
  const operations = (await hub.request('ana', 'GET', '/v1/operations')).body;
  return {
    ready,
    status: state.status as string,
    refusal: state.refusal as string | null,
    publishPath: publishPath.status as string,
    metric: Number(/^hub_redis_available (.*)$/m.exec(metrics)?.[1]),
    operationsDegraded: operations.degraded as boolean,
    listDegraded: list.degraded as boolean,
    agents: list.presences.map(({ agentId }: { agentId: string }) => agentId).sort() as string[],
  };
}
const well = (agents: string[]) => ({
  ready: true,
  status: 'ok',
  refusal: null,
  publishPath: 'ok',
  metric: 1,
  operationsDegraded: false,
  listDegraded: false,
  agents,
});
const live = async (channelId: string) => {
  const [seconds = '0'] = /\d{9,}/.exec(await redis.command('TIME')) ?? [];
  return redis.command(`ZCOUNT ${keys.roster(channelId)} (${seconds}000 +inf`);
};

describe('hubs on a Redis that answers reads and refuses writes', () => {
  // The race: leases cannot be renewed, but reads are answered. Invariants: lists are marked as local; readyz, the
  // metric and the lists agree; no connected agent goes offline; messages are delivered. Negative controls: the
  // reports agree before and after, and the leases did expire in Redis.
  it.each([
    {
      how: 'its memory is full',
      refusal: 'OOM',
      begin: 'CONFIG SET maxmemory 1000000 maxmemory-policy noeviction',
      end: 'CONFIG SET maxmemory 0',
    },
    {
      how: 'a command is denied',
      refusal: 'NOPERM',
      begin: 'ACL SETUSER default -zadd -set',
      end: 'ACL SETUSER default +zadd +set',
    },
  ])(
    'answer from their own connections, agree on it everywhere, and report nobody offline: $how',
    async ({ begin, end, refusal }) => {
      const channelId = `refused-${refusal}`;
      const [hubA, hubB] = hubs as [TestHub, TestHub];
      await using ana = await hubA.connect('ana');
      await using ben = await hubB.connect('ben');
      await ana.call('channel.create', { channelId, name: channelId });
      await ana.call('member.add', { channelId, agentId: 'ben' });
      for (const socket of [ana, ben]) await socket.call('subscribe', { topics: [{ channelId }] });
      const both = ['ana', 'ben'];
      const everyone = [
        { hub: hubA, socket: ana, own: ['ana'] },
        { hub: hubB, socket: ben, own: ['ben'] },
      ];
      for (const { hub, socket } of everyone) {
        await waitFor(async () => (await said(hub, socket, channelId)).agents.length === 2);
        expect(await said(hub, socket, channelId)).toEqual(well(both));
      }

      await redis.command(begin);
      await ana.call('message.send', { channelId, content: 'is it full?' });
      await waitFor(
        async () => {
          const [a, b] = [await said(hubA, ana, channelId), await said(hubB, ben, channelId)];
          // The operations snapshot is cached for half a second, so it may change later than the list.
          const all = [a, b].every((one) => one.listDegraded && one.operationsDegraded);
          return all && a.publishPath === 'down';
        },
        { what: 'both hubs to notice', timeoutMs: 10_000 },
      );
      const untilMs = performance.now() + 2.5 * times.leaseMs;
      await waitFor(
        async () => {
          for (const { hub, socket, own } of everyone) {
            expect(await said(hub, socket, channelId)).toMatchObject({
              ready: true,
              status: 'refusing_writes',
              refusal,
              metric: 0,
              operationsDegraded: true,
              listDegraded: true,
              agents: own,
            });
          }
          return performance.now() > untilMs;
        },
        { timeoutMs: 30_000, everyMs: 100 },
      );
      expect(await live(channelId)).toBe(':0');
      const { seq } = await ana.call('message.send', { channelId, content: 'by the log' });
      await ben.event((envelope) => envelope.seq === seq);

      await redis.command(end);
      for (const { hub, socket } of everyone) {
        await waitFor(
          async () => {
            const state = await said(hub, socket, channelId);
            const isOver = !state.listDegraded && !state.operationsDegraded;
            // The publish path recovers only with the next probe. Messages must be accepted until then.
            if (state.publishPath !== 'ok')
              await socket.call('message.send', { channelId, content: 'again' });
            return isOver && state.agents.length === 2 && state.publishPath === 'ok';
          },
          { what: 'the hub to recover', timeoutMs: 15_000, everyMs: 100 },
        );
        expect(await said(hub, socket, channelId)).toEqual(well(both));
      }
      // For the duration of one lease after the recovery, hubs do not reap. Afterwards they reap and compare rosters.
      // The test therefore waits for the duration of two leases.
      const quietMs = performance.now() + 2 * times.leaseMs;
      await waitFor(() => performance.now() > quietMs, { timeoutMs: 20_000, everyMs: 50 });
      for (const { hub, socket } of everyone) {
        const offline = presenceEvents(socket, channelId).filter(
          ({ status }) => status === 'offline',
        );
        expect(offline).toEqual([]);
        expect(await said(hub, socket, channelId)).toEqual(well(both));
      }
    },
    90_000,
  );
});

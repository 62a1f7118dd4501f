import { describe, expect, it } from '@jest/globals';
import { agentOf, channelWithTwo, uniqueId, type TestDatabase } from './world.contract.ts';

export function describeOperations(database: () => TestDatabase): void {
  describe('agent.list', () => {
    it('counts for an admin the connections to all hubs that beat', async () => {
      const { store } = database();
      const there = await database().another();
      const agentId = uniqueId('bot');
      const [hubA, hubB, dead] = [uniqueId('hub'), uniqueId('hub'), uniqueId('hub')];
      await store.recordAgents([{ agentId, kind: 'agent' }]);
      await store.beat(hubA);
      await there.beat(hubB);
      const row = { agentId, report: null };
      await store.recordHubAgents(hubA, [{ ...row, connections: 2 }]);
      await there.recordHubAgents(hubB, [{ ...row, connections: 3 }]);
      await there.recordHubAgents(dead, [{ ...row, connections: 7 }]);
      const admin = agentOf(store, undefined, { isAdmin: true });
      const listed = async () =>
        (await admin.read('agent.list', { cursor: agentId.slice(0, -1), limit: 1 })).agents[0];
      expect(await listed()).toEqual({
        ...{ agentId, kind: 'agent', connections: 5 },
        lastSeen: expect.any(Number),
      });
      await there.recordHubAgents(hubB, [{ ...row, connections: 1 }]);
      expect(await listed()).toMatchObject({ connections: 3 });
      await there.recordHubAgents(hubB, [{ ...row, connections: 0 }]);
      await store.recordHubAgents(hubA, [], true);
      expect(await listed()).toMatchObject({ connections: 0 });
    });

    it('shows others the ids and kinds of the agents of their channels only', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const stranger = await channelWithTwo(store);
      await store.recordAgents([{ agentId: member.agentId, kind: 'person' }]);
      const idsOf = async (token: object, params: object = {}) => {
        const reader = agentOf(store, owner.agentId, token);
        const { agents } = await reader.read('agent.list', params);
        for (const { connections, lastSeen } of agents)
          expect([connections, lastSeen]).toEqual([null, null]);
        return agents.map(({ agentId }) => agentId);
      };
      const both = [owner.agentId, member.agentId].sort();
      expect(await idsOf({})).toEqual(both);
      expect(await idsOf({}, { kind: 'person' })).toEqual([member.agentId]);
      expect(await idsOf({}, { limit: 1 })).toEqual(both.slice(0, 1));
      expect(await idsOf({}, { limit: 1, cursor: both[0] })).toEqual(both.slice(1));
      // If an admin's token is limited to some channels, the admin has no admin rights in other channels.
      expect(await idsOf({ isAdmin: true, channels: [channelId] })).toEqual(both);
      expect(await idsOf({ channels: [stranger.channelId] })).toEqual([]);
      expect(await idsOf({ channels: [] })).toEqual([]);
      await owner.write('channel.delete', { channelId });
      expect(await idsOf({})).toEqual([]);
    });
  });

  describe('the minutes of operations', () => {
    const minuteMs = 60_000;
    const thisMinute = () => Math.floor(Date.now() / minuteMs) * minuteMs;

    it('are read by every hub, oldest first, in pages of whole minutes', async () => {
      const { store } = database();
      const there = await database().another();
      const [one, other] = [uniqueId('hub-a'), uniqueId('hub-b')];
      // Other tests use other hours.
      const firstMs = thisMinute() - 3_600_000;
      const rowsOf = (hubId: string) =>
        [0, 1, 2].map((n) => ({ hubId, atMs: firstMs + n * minuteMs, figures: `{"n":${n}}` }));
      await store.recordMinutes(rowsOf(one));
      await there.recordMinutes(rowsOf(other));
      const read = async (sinceMs: number, limit: number) => {
        const { minutes, nextMs } = await store.readMinutes(sinceMs, limit);
        const shown = minutes.filter(({ hubId }) => [one, other].includes(hubId));
        return { shown: shown.map(({ hubId, figures }) => `${hubId} ${figures}`), nextMs };
      };
      const all = rowsOf(one).flatMap(({ figures }) =>
        [one, other].map((id) => `${id} ${figures}`),
      );
      expect((await read(firstMs, 500)).shown).toEqual(all);
      const first = await read(firstMs, 3);
      expect(first).toEqual({ shown: all.slice(0, 2), nextMs: firstMs + minuteMs });
      expect((await read(firstMs + minuteMs, 500)).shown).toEqual(all.slice(2));
      // A minute is never split, even if it has more rows than a page.
      expect((await read(firstMs, 1)).shown).toEqual(all.slice(0, 2));
      // A caller may repeat a write whose answer was lost.
      await store.recordMinutes([{ hubId: one, atMs: firstMs, figures: '{"n":9}' }]);
      expect((await read(firstMs, 500)).shown[0]).toBe(`${one} {"n":9}`);
    });

    it('are kept for 24 hours', async () => {
      const { store } = database();
      const hubId = uniqueId('hub');
      const at = (agoMs: number) => ({ hubId, atMs: thisMinute() - agoMs, figures: '{}' });
      await store.recordMinutes([at(25 * 3_600_000), at(-2 * 3_600_000), at(23 * 3_600_000)]);
      await store.recordMinutes([]);
      const { minutes } = await store.readMinutes(1, 10_000);
      expect(minutes.filter((minute) => minute.hubId === hubId)).toEqual([at(23 * 3_600_000)]);
    });
  });
}

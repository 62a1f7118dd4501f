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
      // A hub that was killed leaves its rows behind.
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
      // A token that is limited to channels has no admin's rights beyond them.
      expect(await idsOf({ isAdmin: true, channels: [channelId] })).toEqual(both);
      expect(await idsOf({ channels: [stranger.channelId] })).toEqual([]);
      expect(await idsOf({ channels: [] })).toEqual([]);
      await owner.write('channel.delete', { channelId });
      expect(await idsOf({})).toEqual([]);
    });
  });
}

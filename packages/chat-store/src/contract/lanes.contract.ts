import { afterEach, describe, expect, it } from '@jest/globals';
import type { ChatStore } from '../index.ts';
import { agentOf, channelWithTwo, type TestDatabase } from './world.contract.ts';

export function describeLanes(database: () => TestDatabase): void {
  describe('system calls and look-ups', () => {
    const opened: ChatStore[] = [];
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()));
    });
    const openNarrow = async () => {
      const store = await database().open({ maxReads: 20 });
      opened.push(store);
      return store;
    };

    // The race: clients occupy all slots for reads. Meanwhile, the tail check looks for lost events, and a balancer
    // checks readiness.
    it('are answered while callers use all reads', async () => {
      const store = await openNarrow();
      const { mark } = await store.changes(null);
      const flood = Array.from({ length: 40 }, () => store.logPage('nothing', 0, 1, 1));
      const systemCalls = [
        store.health(),
        store.changes(mark),
        store.heads(['nothing']),
        store.beat('this hub'),
        store.redislessHubs(['this hub']),
        store.changeEpoch('not the current one'),
      ] as const;
      const results = await Promise.allSettled(flood);
      // Negative control: the flood reached its own limit.
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(20);
      const [health, changes] = await Promise.all(systemCalls);
      expect(health).toMatchObject({ status: 'ok' });
      expect(changes).toMatchObject({ epoch: store.epoch });
    });

    it('have a limit of their own', async () => {
      const store = await openNarrow();
      const asked = await Promise.all(Array.from({ length: 200 }, () => store.health()));
      expect(asked.some(({ status }) => status === 'ok')).toBe(true);
      expect(asked.some(({ status }) => status === 'down')).toBe(true);
      expect(await store.health()).toMatchObject({ status: 'ok' });
    });

    // The fault: rights checks and other agents' reads waited behind one agent's reads. The test compares the order of
    // the answers, not their time.
    it('do not wait behind the reads of one agent, and neither do other agents', async () => {
      const store = await database().open({ timeoutMs: 20_000 });
      opened.push(store);
      const { channelId, owner, member } = await channelWithTwo(store);
      const long = 'x'.repeat(8_000);
      await Promise.all(Array.from({ length: 100 }, () => owner.say(channelId, long)));
      const { mark } = await store.changes(null);
      let storm = 0;
      const flood = Array.from({ length: 60 }, () =>
        owner.history(channelId, { limit: 100 }).then(() => (storm += 1)),
      );
      const at: Record<string, number> = {};
      const ask = (name: string, call: Promise<unknown>) => call.then(() => (at[name] = storm));
      await Promise.all([
        ask('changes', store.changes(mark)),
        ask('health', store.health()),
        ask('access', store.access(owner.agentId, [channelId])),
        ask('isRevoked', store.isRevoked({ sub: owner.agentId, issuedAtMs: 0 })),
        ask('logPage', store.logPage(channelId, 0, 1, 1)),
        ask('another agent', member.history(channelId, { limit: 1 })),
      ]);
      const { 'another agent': another, ...system } = at;
      expect(Object.entries(system).filter(([, before]) => before > 5)).toEqual([]);
      // Two reads of the flood already run when the other agent asks. After these two, the agents take turns.
      expect(another).toBeLessThan(10);
      await Promise.all(flood);
      expect(storm).toBe(60);
    });

    it('are shared: an agent that fills the lane is refused before one with few reads', async () => {
      const store = await openNarrow();
      const { channelId, owner, member } = await channelWithTwo(store);
      const flood = Array.from({ length: 40 }, () =>
        owner.readRefusal('channel.get', { channelId }),
      );
      const others = [
        member.readRefusal('channel.get', { channelId }),
        member.readRefusal('channel.get', { channelId }),
      ];
      expect(await Promise.all(others)).toEqual(['ok', 'ok']);
      const answers = await Promise.all(flood);
      expect(answers.filter((answer) => answer === 'ok')).toHaveLength(18);
      expect(answers.filter((answer) => answer === 'rate_limited')).toHaveLength(22);
      expect(store.waitingReads).toBe(0);
    });

    it('do not wait behind the reads of callers', async () => {
      const store = await database().open();
      opened.push(store);
      const { channelId, owner } = await channelWithTwo(store);
      for (let i = 0; i < 30; i++) await owner.say(channelId, 'x'.repeat(200));
      const reader = agentOf(store, owner.agentId);
      const { mark } = await store.changes(null);
      let read = 0;
      const flood = Array.from({ length: 200 }, () =>
        reader.history(channelId).then(() => (read += 1)),
      );
      await store.changes(mark);
      const readBefore = read;
      await Promise.all(flood);
      expect([readBefore < 50, read]).toEqual([true, 200]);
    });
  });
}

import { afterEach, describe, expect, it } from '@jest/globals';
import type { ChatStore } from '../index.ts';
import { agentOf, channelWithTwo, type TestDatabase } from './world.contract.ts';

export function describeLanes(database: () => TestDatabase): void {
  describe('what keeps a hub going', () => {
    const opened: ChatStore[] = [];
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()));
    });
    const openNarrow = async () => {
      const store = await database().open({ maxReads: 20 });
      opened.push(store);
      return store;
    };

    // The race: clients ask for more than the store takes at once, while the tail check looks for lost events and a
    // balancer asks whether the hub is ready. Invariant: callers' reads have a bound of their own and take no place
    // from these.
    it('is answered while callers have used up all the reads there are', async () => {
      const store = await openNarrow();
      const { mark } = await store.changes(null);
      const flood = Array.from({ length: 40 }, () => store.logPage('nothing', 0, 1, 1));
      const vital = [
        store.health(),
        store.changes(mark),
        store.heads(['nothing']),
        store.beat('this hub'),
        store.cutOffHubs(['this hub']),
        store.changeEpoch('not the current one'),
      ] as const;
      const results = await Promise.allSettled(flood);
      // The negative control: the flood did use up its own bound.
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(20);
      const [health, changes] = await Promise.all(vital);
      expect(health).toMatchObject({ status: 'ok' });
      expect(changes).toMatchObject({ epoch: store.epoch });
    });

    it('is bounded too', async () => {
      const store = await openNarrow();
      const asked = await Promise.all(Array.from({ length: 200 }, () => store.health()));
      expect(asked.some(({ status }) => status === 'ok')).toBe(true);
      expect(asked.some(({ status }) => status === 'down')).toBe(true);
      expect(await store.health()).toMatchObject({ status: 'ok' });
    });

    it('does not stand in line behind the reads of callers', async () => {
      const store = await database().open();
      opened.push(store);
      const { channelId, owner } = await channelWithTwo(store);
      for (let i = 0; i < 30; i++) await owner.say(channelId, 'x'.repeat(200));
      const reader = agentOf(store, owner.agentId);
      const { mark } = await store.changes(null);
      let read = 0;
      const flood = Array.from({ length: 400 }, () =>
        reader.history(channelId).then(() => (read += 1)),
      );
      await store.changes(mark);
      const readBefore = read;
      await Promise.all(flood);
      expect([readBefore < 100, read]).toEqual([true, 400]);
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import type { ChatStore } from '../index.ts';
import { channelWithTwo, eventOf, uniqueId, type TestDatabase } from './world.contract.ts';

export function describeHubs(database: () => TestDatabase): void {
  describe('changes', () => {
    it('find the heads that another hub raised, and nothing when nothing changed', async () => {
      const { store } = database();
      const other = await database().another();
      const { channelId, owner } = await channelWithTwo(other);
      const begin = await store.changes(null);
      expect(begin).toMatchObject({ epoch: store.epoch, heads: [], revoked: [], hasMore: false });
      await owner.say(channelId, 'one');
      await owner.say(channelId, 'two');
      const changes = await store.changes(begin.mark);
      expect(changes.heads).toContainEqual({ channelId, head: 4 });
      const next = await store.changes(changes.mark);
      expect(next.heads).toEqual([]);
      await owner.write('channel.delete', { channelId });
      expect((await store.changes(next.mark)).heads).toContainEqual({ channelId, head: 5 });
    });

    // The race: the group that began first commits last, and a watcher reads in between.
    it('miss no commit while many hubs write at once', async () => {
      const hubs = [database().store, await database().another(1), await database().another(2)];
      const channels = await Promise.all(hubs.map((hub) => channelWithTwo(hub)));
      const watcher = await database().another(1);
      let { mark } = await watcher.changes(null);
      const seen = new Map<string, number>();
      let isDone = false;
      const writing = Promise.all(
        channels.map(async ({ owner, channelId }) => {
          for (let i = 0; i < 60; i++) await owner.say(channelId, `${i}`);
        }),
      );
      void writing.then(() => (isDone = true));
      for (let isLast = false; !isLast;) {
        isLast = isDone;
        const changes = await watcher.changes(mark);
        mark = changes.mark;
        for (const { channelId, head } of changes.heads) {
          seen.set(channelId, Math.max(head, seen.get(channelId) ?? 0));
        }
      }
      expect(channels.map(({ channelId }) => seen.get(channelId))).toEqual([62, 62, 62]);
    });

    it('with a mark from the future, as after a restored backup, continue from now', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      const { mark } = await store.changes({ next: 1e15, open: [] });
      expect(mark.next).toBeLessThan(1e15);
      await owner.say(channelId, 'x');
      expect((await store.changes(mark)).heads).toContainEqual({ channelId, head: 3 });
    });
  });

  describe('heads', () => {
    it('are read for many channels at once, also deleted ones, but not for channels that never existed', async () => {
      const { store } = database();
      const [kept, deleted] = [await channelWithTwo(store), await channelWithTwo(store)];
      await deleted.owner.write('channel.delete', { channelId: deleted.channelId });
      const never = uniqueId('never');
      expect(await store.heads([kept.channelId, never, deleted.channelId])).toEqual(
        new Map([
          [kept.channelId, 2],
          [deleted.channelId, 3],
        ]),
      );
      expect(await store.heads([])).toEqual(new Map());
    });

    it('of the most recently changed channels are in the order of their commits', async () => {
      const { store } = database();
      const [first, second] = [await channelWithTwo(store), await channelWithTwo(store)];
      await first.owner.say(first.channelId, 'x');
      expect([...(await store.recentHeads(2))]).toEqual([
        [first.channelId, 3],
        [second.channelId, 2],
      ]);
    });

    it('are returned with the database’s epoch', async () => {
      const { store } = database();
      const { channelId } = await channelWithTwo(store);
      expect(await store.logPage(channelId, Number.MAX_SAFE_INTEGER, 1, 1)).toEqual({
        events: [],
        head: 2,
        floor: 1,
        epoch: store.epoch,
      });
    });
  });

  describe('hubs', () => {
    it('lack Redis while they beat and report that', async () => {
      const { store } = database();
      const [here, there, well] = [uniqueId('hub'), uniqueId('hub'), uniqueId('hub')];
      await store.beat(here);
      await store.beat(well);
      await (await database().another()).beat(there, true);
      expect(await store.redislessHubs([here, there, well])).toEqual(new Set([there]));
      await store.beat(here, true);
      await store.beat(there);
      expect(await store.redislessHubs([here, there, well])).toEqual(new Set([here]));
      expect(await store.redislessHubs([])).toEqual(new Set());
    });

    it('are listed with the age of their last beat', async () => {
      const { store } = database();
      const [here, there] = [uniqueId('hub'), uniqueId('hub')];
      await store.beat(here);
      await (await database().another()).beat(there);
      const hubs = await store.hubs();
      expect(hubs.map(({ hubId }) => hubId)).toEqual(expect.arrayContaining([here, there]));
      for (const { lastBeatAgoMs } of hubs) {
        expect(lastBeatAgoMs).toBeGreaterThanOrEqual(0);
        expect(lastBeatAgoMs).toBeLessThanOrEqual(60_000);
      }
    });
  });

  describe('tokens', () => {
    it('are revoked one by one, for every hub', async () => {
      const { store } = database();
      const other = await database().another();
      const { mark } = await other.changes(null);
      const [jti, sub] = [uniqueId('jti'), uniqueId('agent')];
      const token = { jti, sub, issuedAtMs: Date.now() };
      expect(await other.isRevoked(token)).toBe(false);
      await store.revoke({ jti });
      await store.revoke({ jti });
      expect(await other.isRevoked(token)).toBe(true);
      expect(await other.isRevoked({ ...token, jti: null })).toBe(false);
      const { revoked } = await other.changes(mark);
      expect(revoked).toContainEqual({
        ...{ jti, sub: null, minter: null },
        revokedAtMs: expect.any(Number),
      });
    });

    it('are revoked for an agent if they were issued before', async () => {
      const { store } = database();
      const { mark } = await store.changes(null);
      const sub = uniqueId('agent');
      await store.revoke({ sub });
      const { revoked } = await store.changes(mark);
      const revokedAtMs = revoked.find((one) => one.sub === sub)?.revokedAtMs ?? 0;
      expect(Math.abs(revokedAtMs - Date.now())).toBeLessThan(60_000);
      expect(await store.isRevoked({ sub, issuedAtMs: revokedAtMs })).toBe(true);
      expect(await store.isRevoked({ sub, issuedAtMs: revokedAtMs + 1 })).toBe(false);
      expect(await store.isRevoked({ sub, issuedAtMs: null })).toBe(true);
      expect(await store.isRevoked({ sub: uniqueId('agent'), issuedAtMs: 0 })).toBe(false);
    });
  });

  describe('the epoch', () => {
    it('is changed once, by the first of the hubs that notice, and is on every envelope from then on', async () => {
      const { store } = database();
      const other = await database().another();
      const { channelId, owner } = await channelWithTwo(store);
      const before = store.epoch;
      expect(await store.changeEpoch('not the current one')).toBe(before);
      const [mine, theirs] = await Promise.all([
        store.changeEpoch(before),
        other.changeEpoch(before),
      ]);
      expect(mine).toBe(theirs);
      expect(mine).not.toBe(before);
      expect([store.epoch, other.epoch]).toEqual([mine, mine]);
      expect(await epochsInLog(other, channelId)).toEqual(new Set([mine]));
      const outcome = await owner.outcome('message.send', { channelId, content: 'x' });
      expect(outcome.ok && outcome.events[0]?.event.epoch).toBe(mine);
      expect(eventOf(outcome).epoch).toBe(mine);
    });
  });

  describe('health', () => {
    it('reports that the database answers', async () => {
      expect(await database().store.health()).toEqual({
        status: 'ok',
        engine: expect.any(String),
        queueLength: 0,
        latencyMs: expect.any(Number),
      });
    });
  });
}

async function epochsInLog(store: ChatStore, channelId: string): Promise<Set<string>> {
  const { events } = await store.logPage(channelId, 0, 100, 1e6);
  return new Set(events.flatMap((event) => [event.epoch, JSON.parse(event.json).epoch as string]));
}

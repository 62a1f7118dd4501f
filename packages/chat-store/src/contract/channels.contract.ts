import { describe, expect, it } from '@jest/globals';
import type { ResultOf } from '@openclaw/protocol';
import { agentOf, channelWithTwo, eventOf, uniqueId, type TestDatabase } from './world.contract.ts';

export function describeChannels(database: () => TestDatabase): void {
  const agent = (admin = false) => agentOf(database().store, undefined, { isAdmin: admin });

  describe('channels', () => {
    it('makes the creator owner and first member, as event 1', async () => {
      const alice = agent();
      const channelId = uniqueId('room');
      const outcome = await alice.outcome('channel.create', {
        ...{ channelId, name: 'Room', kind: 'private', topic: 'talk', metadata: { team: 7 } },
      });
      const event = eventOf(outcome);
      expect(event).toMatchObject({ channelId, seq: 1, senderId: alice.agentId });
      expect(event.event).toMatchObject({
        type: 'channel.member.join',
        member: { agentId: alice.agentId, role: 'owner', displayName: null },
      });
      const { channel } = await alice.read('channel.get', { channelId });
      expect(channel).toMatchObject({
        ...{ channelId, name: 'Room', kind: 'private', topic: 'talk', metadata: { team: 7 } },
        createdBy: alice.agentId,
        archivedAt: null,
        head: 1,
      });
      expect(Math.abs(channel.createdAt - Date.now())).toBeLessThan(60_000);
    });

    it('chooses an id when none is given, and refuses one that is in use', async () => {
      const alice = agent();
      const { channel } = await alice.write('channel.create', { name: 'A' });
      const { channelId } = channel;
      expect(await agent().refusal('channel.create', { name: 'B', channelId })).toBe('conflict');
    });

    it('changes the given fields, clears those that are null, and emits nothing when nothing changes', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const change = { channelId, topic: 'new', metadata: { a: [1, { b: null }] } };
      const outcome = await owner.outcome('channel.update', change);
      expect(eventOf(outcome)).toMatchObject({
        seq: 3,
        event: { type: 'channel.update', channel: { topic: 'new', name: 'Two', head: 3 } },
      });
      expect(await owner.outcome('channel.update', change)).toMatchObject({
        ok: true,
        events: [],
      });
      const { channel } = await owner.write('channel.update', {
        channelId,
        topic: null,
        metadata: null,
      });
      expect(channel).toMatchObject({ topic: null, metadata: null, name: 'Two', head: 4 });
    });

    it('archives: reading, leaving and deleting are still allowed', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const { messageId } = await member.say(channelId, 'before');
      const archived = await owner.outcome('channel.archive', { channelId });
      expect(eventOf(archived).event).toMatchObject({ type: 'channel.archive' });
      expect(await owner.outcome('channel.archive', { channelId })).toMatchObject({ events: [] });

      const refused = [
        owner.refusal('message.send', { channelId, content: 'x' }),
        member.refusal('message.edit', { channelId, messageId, content: 'x' }),
        member.refusal('reaction.add', { channelId, messageId, emoji: '👍' }),
        member.refusal('reaction.remove', { channelId, messageId, emoji: '👍' }),
        member.refusal('thread.create', { channelId, messageId }),
        member.refusal('collaboration.emit', { channelId, name: 'x', payload: {} }),
        owner.refusal('channel.update', { channelId, name: 'x' }),
        owner.refusal('member.add', { channelId, agentId: 'someone' }),
        owner.refusal('member.update', { channelId, agentId: member.agentId, role: 'owner' }),
        agent().refusal('channel.join', { channelId }),
        agent(true).refusal('message.send', { channelId, content: 'x' }),
      ];
      expect(await Promise.all(refused)).toEqual(refused.map(() => 'archived'));
      expect((await member.history(channelId)).messages).toHaveLength(1);
      await member.write('read.mark', { channelId, seq: 3 });
      await member.write('message.delete', { channelId, messageId });
      await member.write('channel.leave', { channelId });
      await owner.write('channel.delete', { channelId });
    });

    it('makes an archived channel writable again, for its owners', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      expect(await owner.outcome('channel.unarchive', { channelId })).toMatchObject({ events: [] });
      await owner.write('channel.archive', { channelId });
      expect(await member.refusal('channel.unarchive', { channelId })).toBe('forbidden');
      expect(await owner.refusal('message.send', { channelId, content: 'x' })).toBe('archived');
      const outcome = await owner.outcome('channel.unarchive', { channelId });
      expect(eventOf(outcome).event).toMatchObject({
        type: 'channel.update',
        channel: { channelId, archivedAt: null },
      });
      await member.say(channelId, 'again');
    });

    it('deletes with a last event; then nobody finds it, and its id is never used again', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const outcome = await owner.outcome('channel.delete', { channelId });
      expect(eventOf(outcome)).toMatchObject({ seq: 3, event: { type: 'channel.delete' } });
      for (const someone of [owner, member, agent(), agent(true)]) {
        expect(await someone.readRefusal('channel.get', { channelId })).toBe('not_found');
        expect(await someone.readRefusal('message.history', { channelId })).toBe('not_found');
        expect(await someone.refusal('message.send', { channelId, content: 'x' })).toBe(
          'not_found',
        );
        expect(await someone.refusal('channel.create', { channelId, name: 'x' })).toBe('conflict');
      }
      const { channels } = await owner.read('channel.list', { member: true });
      expect(channels).toEqual([]);
      expect((await owner.read('read.state', {})).channels).toEqual([]);
      expect(await store.access(owner.agentId, [channelId])).toEqual(new Map());
      // A hub that lags can read all events up to the deletion.
      const page = await store.logPage(channelId, 0, 100, 1e6);
      expect(page.events.map((event) => event.type).at(-1)).toBe('channel.delete');
      expect(page.head).toBe(3);
    });

    it('lists public channels and one’s own, each page after the last, each channel once', async () => {
      const alice = agent();
      const own: string[] = [];
      for (let i = 0; i < 5; i++) {
        const kind = i % 2 ? 'private' : 'public';
        const { channel } = await alice.write('channel.create', { name: `own ${i}`, kind });
        own.push(channel.channelId);
      }
      const hidden = (await channelWithTwo(database().store, 'private')).channelId;
      const open = (await channelWithTwo(database().store)).channelId;

      const list = async (who: typeof alice, params: { member?: boolean; kind?: 'private' }) => {
        const ids: string[] = [];
        let cursor: string | null = null;
        do {
          const page: ResultOf<'channel.list'> = await who.read('channel.list', {
            ...params,
            cursor,
            limit: 2,
          });
          ids.push(...page.channels.map((channel) => channel.channelId));
          cursor = page.nextCursor;
        } while (cursor !== null);
        expect(ids).toEqual([...new Set(ids)].sort());
        return ids;
      };
      expect(await list(alice, { member: true })).toEqual([...own].sort());
      expect(await list(alice, { kind: 'private' })).toEqual([own[1], own[3]].sort());
      const others = await list(alice, { member: false });
      expect(others).toContain(open);
      expect(others).not.toContain(hidden);
      expect(others).not.toContain(own[0]);
      expect(await list(alice, {})).toEqual([...others, ...own].sort());
      expect(await list(agent(true), {})).toContain(hidden);
    });

    it('lists by name and from the newest on, page by page, and forged cursors skip nothing hidden', async () => {
      const { store } = database();
      const [ana, ben] = [agentOf(store), agentOf(store)];
      const prefix = `order ${Date.now()}`;
      // Names are ordered by their bytes in UTF-8. In UTF-16, the last two would be in the other order.
      const names = ['B', 'a', 'b', 'b', 'Ä', 'z', '\uFF5E', '😀'].map(
        (name) => `${prefix} ${name}`,
      );
      const created: string[] = [];
      for (const [index, name] of [...names].reverse().entries()) {
        const agent = index % 2 ? ana : ben;
        created.push((await agent.write('channel.create', { name })).channel.channelId);
      }
      const hidden = await ben.write('channel.create', { name: `${prefix} c`, kind: 'private' });
      async function list(order: 'name' | 'newest', limit: number, member: boolean | null = null) {
        const found: { channelId: string; name: string }[] = [];
        let cursor: string | null = null;
        do {
          const params = { order, limit, member, cursor };
          const page: ResultOf<'channel.list'> = await ana.read('channel.list', params);
          found.push(...page.channels.filter(({ name }) => name.startsWith(prefix)));
          cursor = page.nextCursor;
        } while (cursor !== null);
        return found;
      }
      const sortedNames = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      for (const limit of [1, 3, 200]) {
        expect((await list('name', limit)).map(({ name }) => name)).toEqual(sortedNames);
        const newest = (await list('newest', limit)).map(({ channelId }) => channelId);
        expect(newest).toHaveLength(created.length);
        expect(new Set(newest)).toEqual(new Set(created));
        const own = (await list('name', limit, true)).map(({ channelId }) => channelId);
        expect(new Set(own)).toEqual(new Set(created.filter((_, index) => index % 2 === 1)));
      }
      const last = await ana.write('channel.create', { name: `${prefix} last` });
      const [first] = (await ana.read('channel.list', { order: 'newest', limit: 1 })).channels;
      expect(first?.channelId).toBe(last.channel.channelId);
      // A cursor contains the last name of its page. A cursor with a channel's id could reveal the position of a hidden
      // channel.
      expect(
        await ana
          .read('channel.list', { order: 'name', cursor: hidden.channel.channelId })
          .catch(({ name }: Error) => name),
      ).toBe('ZodError');
    });

    it('limits a token, also an admin’s, to its own list of channels', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      const other = await owner.write('channel.create', { name: 'Other' });
      const otherId = other.channel.channelId;
      for (const isAdmin of [false, true]) {
        const bound = agentOf(store, owner.agentId, { isAdmin, channels: [channelId] });
        await bound.say(channelId, 'inside');
        expect(await bound.refusal('message.send', { channelId: otherId, content: 'x' })).toBe(
          'forbidden',
        );
        expect(await bound.refusal('channel.create', { name: 'x' })).toBe('forbidden');
        expect(await bound.refusal('direct.send', { agentId: 'bob', content: 'x' })).toBe(
          'forbidden',
        );
        expect(await bound.readRefusal('channel.get', { channelId: otherId })).toBe('forbidden');
        const { channels } = await bound.read('channel.list', {});
        expect(channels.map((channel) => channel.channelId)).toEqual([channelId]);
        const state = await bound.read('read.state', {});
        expect(state.channels.map((channel) => channel.channelId)).toEqual([channelId]);
      }
      const nowhere = agentOf(store, owner.agentId, { channels: [] });
      expect((await nowhere.read('channel.list', {})).channels).toEqual([]);
      expect((await nowhere.read('read.state', {})).channels).toEqual([]);
    });
  });
}

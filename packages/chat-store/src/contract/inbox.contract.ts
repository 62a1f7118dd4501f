import { describe, expect, it } from '@jest/globals';
import type { InboxItem, ParamsInputOf } from '@openclaw/protocol';
import { agentOf, channelWithTwo, type Agent, type TestDatabase } from './world.contract.ts';

export function describeInbox(database: () => TestDatabase): void {
  const read = (agent: Agent, params: ParamsInputOf<'inbox.read'> = {}) =>
    agent.read('inbox.read', params);
  const textOf = ({ message, event, line }: InboxItem) => message?.content ?? line ?? event;
  const texts = async (agent: Agent, params: ParamsInputOf<'inbox.read'> = {}) =>
    (await read(agent, params)).items.map(textOf);
  const nothing = { count: 0, channels: [], after: null };
  async function world() {
    const world = await channelWithTwo(database().store);
    const { channelId, owner, member } = world;
    const call = (content: string, more: object = {}) =>
      owner.say(channelId, content, { mentions: [member.agentId], ...more });
    return { ...world, call };
  }

  describe('the inbox', () => {
    it('holds what addresses the agent, in order, until it acknowledges it', async () => {
      const { channelId, owner, member } = await world();
      const mine = await member.say(channelId, 'mine');
      await owner.say(channelId, 'plain');
      await owner.say(channelId, 'mention', { mentions: [member.agentId] });
      await owner.write('reaction.add', { channelId, messageId: mine.messageId, emoji: '👍' });
      await owner.write('direct.send', { agentId: member.agentId, content: 'direct' });
      await owner.say(channelId, 'in my thread', { threadId: mine.messageId });
      await owner.say(channelId, 'reply', { replyTo: mine.messageId });
      const both = { replyTo: mine.messageId, mentions: [member.agentId] };
      await owner.say(channelId, 'mention and reply', both);
      await owner.say(channelId, 'hello @all', { parseMentions: true });
      // A message to oneself is in no inbox.
      await member.say(channelId, 'to myself', both);
      await member.write('direct.send', { agentId: owner.agentId, content: 'back' });

      const page = await read(member);
      expect(page).toMatchObject({ omitted: nothing, hasMore: false });
      expect(page.items.map((item) => [item.reason, item.class, textOf(item)])).toEqual([
        ['mention', 'wake', 'mention'],
        ['direct', 'wake', 'direct'],
        ['reply', 'wake', 'in my thread'],
        ['reply', 'wake', 'reply'],
        ['mention', 'wake', 'mention and reply'],
        ['mention', 'notify', 'hello @all'],
      ]);
      const [first] = page.items;
      expect(first).toMatchObject({ channelId, seq: 5, event: null, line: null, askId: null });
      expect(first?.message).toEqual(
        (await member.history(channelId)).messages.find(({ seq }) => seq === 5),
      );
      expect(await texts(member)).toEqual(page.items.map(textOf));
      expect(await texts(member, { after: page.items[3]?.cursor ?? '' })).toEqual([
        'mention and reply',
        'hello @all',
      ]);
      expect((await read(member, { after: page.cursor })).items).toEqual([]);
      expect(await texts(owner)).toEqual(['back']);
      await member.write('read.mark', { channelId, seq: 100 });
      await member.write('inbox.ack', { cursor: page.items[3]?.cursor ?? '' });
      const rest = ['mention and reply', 'hello @all'];
      expect(await texts(member)).toEqual(rest);
      await member.write('inbox.ack', { cursor: page.items[0]?.cursor ?? '' });
      expect(await texts(member)).toEqual(rest);
      await member.write('inbox.ack', { cursor: page.cursor });
      expect((await read(member)).items).toEqual([]);
      await member.write('read.mark', { channelId, seq: 2, back: true });
      expect((await read(member)).items).toEqual([]);
      const state = await member.read('read.state', {});
      expect(state.channels.find((one) => one.channelId === channelId)?.mentions).toBe(3);
    });

    it('is read in pages, and an acknowledgement covers one', async () => {
      const { member, call } = await world();
      for (const text of ['a', 'b', 'c', 'd', 'e']) await call(text);
      const first = await read(member, { limit: 2 });
      expect([first.items.map(textOf), first.hasMore]).toEqual([['a', 'b'], true]);
      const second = await read(member, { limit: 2, after: first.cursor });
      expect([second.items.map(textOf), second.hasMore]).toEqual([['c', 'd'], true]);
      await member.write('inbox.ack', { cursor: first.cursor });
      expect(await texts(member, { limit: 2 })).toEqual(['c', 'd']);
      const last = await read(member, { limit: 2, after: second.cursor });
      expect([last.items.map(textOf), last.hasMore]).toEqual([['e'], false]);
    });

    it('shows edits, and drops what was deleted', async () => {
      const { channelId, owner, member, call } = await world();
      const edited = await call('first');
      const gone = await call('second');
      await owner.say(channelId, '@all third', { parseMentions: true });
      await owner.write('message.edit', { channelId, messageId: edited.messageId, content: 'new' });
      await owner.write('message.delete', { channelId, messageId: gone.messageId });
      expect(await texts(member)).toEqual(['new', '@all third']);
      const { messages } = await owner.history(channelId);
      await owner.write('message.delete', { channelId, messageId: messages.at(-1)?.id ?? '' });
      expect(await texts(member)).toEqual(['new']);
    });

    it('shows no channel of which the agent is no member, and shows it again after a new join', async () => {
      const { channelId, owner, member, call } = await world();
      await owner.write('direct.send', { agentId: member.agentId, content: 'direct' });
      await call('left behind');
      const membership = { channelId, agentId: member.agentId };
      await owner.write('member.remove', membership);
      const page = await read(member);
      expect([page.items.map(textOf), page.omitted]).toEqual([['direct'], nothing]);
      await owner.write('direct.send', { agentId: member.agentId, content: 'later' });
      await member.write('inbox.ack', { cursor: (await read(member)).cursor });
      await owner.write('member.add', membership);
      // No read has shown the item, so no acknowledgement and no cursor of an earlier read covers it.
      expect(await texts(member)).toEqual(['left behind']);
      expect(await texts(member, { after: page.cursor })).toEqual(['left behind']);
    });

    // The fault: replies to an agent that had left were stored. It could not acknowledge them, and 10,000 of them
    // pushed out everything else.
    it('gets no replies from a channel that the agent has left', async () => {
      const { channelId, owner, member } = await world();
      const { messageId } = await member.say(channelId, 'mine');
      const reply = async (content: string) => {
        const answered = { replyTo: messageId, threadId: messageId };
        const outcome = await owner.outcome('message.send', { channelId, content, ...answered });
        return outcome.ok && outcome.events[0]?.inboxes;
      };
      expect(await reply('to a member')).toEqual([member.agentId]);
      await member.write('channel.leave', { channelId });
      expect(await reply('to nobody')).toBeUndefined();
      await member.write('channel.join', { channelId });
      await reply('again');
      expect(await texts(member)).toEqual(['to a member', 'again']);
    });

    it('tells only those of @all who were members before it', async () => {
      const { channelId, owner, member } = await world();
      await owner.say(channelId, '@all one', { parseMentions: true });
      const late = agentOf(database().store);
      await owner.write('member.add', { channelId, agentId: late.agentId });
      const text = `@all @${late.agentId} two`;
      await owner.say(channelId, text, { parseMentions: true });
      expect(await texts(member)).toEqual(['@all one', text]);
      const { items, cursor } = await read(late);
      expect(items.map((item) => [item.class, textOf(item)])).toEqual([['wake', text]]);
      // The message has two items: the agent's own, and one that all members share. The cursor of the agent's own item
      // acknowledges both, but only for this agent.
      await late.write('inbox.ack', { cursor });
      expect((await read(late)).items).toEqual([]);
      expect((await read(owner)).items).toEqual([]);
    });

    it('with maxChars brings the newest whole, older ones as lines, and counts the rest', async () => {
      const { channelId, owner, member, call } = await world();
      const long = 'x'.repeat(300);
      await owner.write('direct.send', { agentId: member.agentId, content: `oldest ${long}` });
      for (const text of ['one', 'two', 'three']) await call(`${text}\n${long}`);
      await call('the newest', { metadata: { key: 'value' } });
      const size = 'the newest'.length + '{"key":"value"}'.length;
      const page = await read(member, { maxChars: size + 250 });
      expect(page.items.map(({ message, line }) => [message?.content ?? null, line])).toEqual([
        [null, `${owner.agentId}: two ${long}`.slice(0, 120)],
        [null, `${owner.agentId}: three ${long}`.slice(0, 120)],
        ['the newest', null],
      ]);
      const direct = (await read(member)).items[0]?.channelId ?? '';
      const channels = [
        { channelId: direct, count: 1 },
        { channelId, count: 1 },
      ];
      expect(page).toMatchObject({ omitted: { count: 2 }, hasMore: false });
      expect(page.omitted.channels).toEqual(expect.arrayContaining(channels));
      const { after } = page.omitted;
      expect(await texts(member, { after: after ?? '', limit: 2 })).toEqual([
        `oldest ${long}`,
        `one\n${long}`,
      ]);
      expect((await read(member, { maxChars: 100_000 })).omitted).toEqual(nothing);
      const tiny = await read(member, { maxChars: 1 });
      expect([tiny.items, tiny.omitted.count, tiny.cursor]).toEqual([[], 5, expect.any(String)]);
      expect((await read(member, { maxChars: 100_000, limit: 2 })).omitted.count).toBe(3);
      await member.write('inbox.ack', { cursor: page.cursor });
      expect(await read(member)).toMatchObject({ items: [], omitted: nothing });
    });

    it('is bounded by the channels of the token, as its acknowledgements are', async () => {
      const { store } = database();
      const { channelId, owner, member, call } = await world();
      await call('inside');
      await owner.write('direct.send', { agentId: member.agentId, content: 'outside' });
      const { agentId } = member;
      const bounded = agentOf(store, agentId, { channels: [channelId] });
      const page = await read(bounded, { maxChars: 1 });
      expect(page.omitted.channels).toEqual([{ channelId, count: 1 }]);
      expect(await texts(bounded)).toEqual(['inside']);
      // The cursor of a token with fewer channels acknowledges nothing for a token with more channels.
      await member.write('inbox.ack', { cursor: (await read(bounded)).cursor });
      expect(await texts(member)).toEqual(['inside', 'outside']);
      await bounded.write('inbox.ack', { cursor: (await read(bounded)).cursor });
      expect(await texts(member)).toEqual(['outside']);
      expect(await texts(agentOf(store, agentId, { channels: [] }))).toEqual([]);
    });

    it('is read by an admin, who cannot acknowledge it', async () => {
      const { member, owner, call } = await world();
      await call('private');
      const { agentId } = member;
      const admin = agentOf(database().store, undefined, { isAdmin: true });
      expect(await owner.readRefusal('inbox.read', { agentId })).toBe('forbidden');
      const page = await read(admin, { agentId });
      expect(page.items.map(textOf)).toEqual(['private']);
      expect((await read(admin)).items).toEqual([]);
      await admin.write('inbox.ack', { cursor: page.cursor });
      expect(await texts(member)).toEqual(['private']);
    });

    it('is one for all hubs, and starts again where it was acknowledged after a restore', async () => {
      const { member, call } = await world();
      const other = agentOf(await database().another(), member.agentId);
      await call('one');
      await call('two');
      const [first] = (await read(member)).items;
      await other.write('inbox.ack', { cursor: first?.cursor ?? '' });
      const before = await read(member);
      expect(before.items.map(textOf)).toEqual(['two']);
      const store = await database().open();
      await store.changeEpoch(store.epoch);
      const restored = agentOf(store, member.agentId);
      await restored.write('inbox.ack', { cursor: before.cursor });
      expect(await texts(restored, { after: before.cursor })).toEqual(['two']);
      await restored.write('inbox.ack', { cursor: (await read(restored)).cursor });
      expect(await texts(restored)).toEqual([]);
      await store.close();
    });
  });
}

import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import { directChannelId } from '../index.ts';
import { agentOf, channelWithTwo, eventOf, type TestDatabase } from './world.contract.ts';

export function describeMessages(database: () => TestDatabase): void {
  const agent = () => agentOf(database().store);

  describe('messages', () => {
    it('are stored as they are, and told to the members they mention', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const content = 'ünïcödé 🚀 "quoted" \\ \n\t\u0001 \u2028';
      const mentions = [member.agentId, owner.agentId, 'stranger'];
      const metadata = { deep: { list: [1, 'two', null, true] } };
      const outcome = await owner.outcome('message.send', {
        channelId,
        content,
        mentions,
        metadata,
      });
      // Not the stranger, who is no member; not the sender itself.
      expect(outcome).toMatchObject({ ok: true, agentTopics: [member.agentId] });
      const event = eventOf(outcome);
      expect(event).toMatchObject({ seq: 3, channelId, senderId: owner.agentId });
      const { messages, head } = await member.history(channelId);
      expect(head).toBe(3);
      expect(messages).toEqual([
        {
          ...{ id: expect.any(String), channelId, seq: 3, senderId: owner.agentId, content },
          ...{ timestamp: event.timestamp, threadId: null, mentions, metadata },
          ...{ editedAt: null, deletedAt: null, reactions: {} },
        },
      ]);
      expect(event.event).toEqual({ type: 'channel.message', channelId, message: messages[0] });
    });

    it('over the limit are too_large', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const content = 'x'.repeat(limits.contentBytes + 1);
      expect(await owner.refusal('message.send', { channelId, content })).toBe('too_large');
      await owner.say(channelId, content.slice(1));
    });

    it('are edited by their authors; the same text changes nothing (Message edit propagation)', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const { messageId, seq } = await member.say(channelId, 'one', { metadata: { keep: 1 } });
      const outcome = await member.outcome('message.edit', {
        channelId,
        messageId,
        content: 'two',
      });
      expect(eventOf(outcome)).toMatchObject({
        seq: seq + 1,
        event: { type: 'channel.message.edit', message: { id: messageId, seq, content: 'two' } },
      });
      const again = await member.outcome('message.edit', { channelId, messageId, content: 'two' });
      expect(again).toMatchObject({ ok: true, result: { seq: null }, event: null });
      expect(await owner.refusal('message.edit', { channelId, messageId, content: 'x' })).toBe(
        'forbidden',
      );
      expect(
        await member.refusal('message.edit', { channelId, messageId: 'none', content: 'x' }),
      ).toBe('not_found');
      const { messages } = await owner.history(channelId);
      expect(messages).toMatchObject([{ content: 'two', metadata: { keep: 1 }, seq }]);
      expect(messages[0]?.editedAt).toEqual(expect.any(Number));
    });

    it('are deleted with every trace of their text in the log (Message delete propagation)', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const secrets = { mentions: [owner.agentId], metadata: { hidden: 'secret-3' } };
      const { messageId, seq } = await member.say(channelId, 'secret-1', secrets);
      await member.write('message.edit', { channelId, messageId, content: 'secret-2' });
      await owner.write('reaction.add', { channelId, messageId, emoji: '👍' });
      const kept = await member.say(channelId, 'harmless');
      const outcome = await owner.outcome('message.delete', { channelId, messageId });
      const emptied = {
        id: messageId,
        seq,
        content: '',
        mentions: [],
        metadata: null,
        reactions: {},
      };
      expect(eventOf(outcome).event).toMatchObject({
        type: 'channel.message.delete',
        message: { ...emptied, deletedAt: expect.any(Number) },
      });
      const log = await member.log(channelId);
      expect(JSON.stringify(log)).not.toContain('secret');
      expect(log.map((event) => event.seq)).toEqual(log.map((_event, index) => index + 1));
      expect(log[seq - 1]?.event).toMatchObject({ type: 'channel.message', message: emptied });
      const { messages } = await member.history(channelId);
      expect(messages).toMatchObject([
        { ...emptied, deletedAt: expect.any(Number) },
        { id: kept.messageId },
      ]);

      const again = await owner.outcome('message.delete', { channelId, messageId });
      expect(again).toMatchObject({ ok: true, result: { seq: null }, event: null });
      expect(await member.refusal('message.edit', { channelId, messageId, content: 'x' })).toBe(
        'conflict',
      );
      expect(await member.refusal('reaction.add', { channelId, messageId, emoji: 'x' })).toBe(
        'conflict',
      );
      expect(await member.refusal('thread.create', { channelId, messageId })).toBe('conflict');
    });

    it('of one channel are not found through another', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const { messageId } = await owner.say(channelId, 'here');
      const elsewhere = (await owner.write('channel.create', { name: 'There' })).channel.channelId;
      const refusals = [
        owner.refusal('message.edit', { channelId: elsewhere, messageId, content: 'x' }),
        owner.refusal('message.delete', { channelId: elsewhere, messageId }),
        owner.refusal('reaction.add', { channelId: elsewhere, messageId, emoji: 'x' }),
        owner.refusal('thread.create', { channelId: elsewhere, messageId }),
        owner.refusal('message.send', { channelId: elsewhere, content: 'x', threadId: messageId }),
        owner.readRefusal('message.history', { channelId: elsewhere, threadId: messageId }),
      ];
      expect(await Promise.all(refusals)).toEqual(refusals.map(() => 'not_found'));
    });
  });

  describe('reactions', () => {
    it('are one for each agent and emoji; the same once more changes nothing (Reaction add/remove)', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const { messageId } = await owner.say(channelId, 'react');
      const like = { channelId, messageId, emoji: '👍' };
      const added = await member.outcome('reaction.add', like);
      expect(added).toMatchObject({ ok: true, result: { seq: 4, changed: true } });
      expect(eventOf(added).event).toEqual({
        ...{ type: 'channel.reaction.add', channelId, messageId },
        ...{ agentId: member.agentId, emoji: '👍' },
      });
      const unchanged = { ok: true, event: null, result: { seq: null, changed: false } };
      expect(await member.outcome('reaction.add', like)).toMatchObject(unchanged);
      await owner.write('reaction.add', like);
      await owner.write('reaction.add', { ...like, emoji: ':tada:' });
      const reacted = await owner.history(channelId);
      expect(reacted.messages[0]?.reactions).toEqual({
        '👍': [member.agentId, owner.agentId],
        ':tada:': [owner.agentId],
      });
      expect(eventOf(await member.outcome('reaction.remove', like)).event).toMatchObject({
        type: 'channel.reaction.remove',
      });
      expect(await member.outcome('reaction.remove', like)).toMatchObject(unchanged);
      const { messages } = await owner.history(channelId);
      expect(messages[0]?.reactions['👍']).toEqual([owner.agentId]);
    });
  });

  describe('threads', () => {
    it('begin with a reply, which is a thread.message and nothing else', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const root = await owner.say(channelId, 'root');
      const threadId = root.messageId;
      const outcome = await member.outcome('message.send', {
        channelId,
        content: 'reply',
        threadId,
      });
      expect(eventOf(outcome)).toMatchObject({
        seq: 4,
        event: { type: 'thread.message', message: { threadId } },
      });
      const reply = await owner.say(channelId, 'second', { threadId });
      expect(
        await owner.refusal('message.send', { channelId, content: 'x', threadId: reply.messageId }),
      ).toBe('conflict');
      expect(
        await owner.refusal('message.send', { channelId, content: 'x', threadId: 'none' }),
      ).toBe('not_found');
      await owner.say(channelId, 'beside');
      const { messages } = await owner.history(channelId, { threadId });
      expect(messages.map((message) => message.content)).toEqual(['root', 'reply', 'second']);
      const { threads } = await owner.read('thread.list', { channelId });
      expect(threads).toMatchObject([
        { threadId, title: null, createdBy: member.agentId, replies: 2 },
      ]);
    });

    it('are created with a title once, and counted on', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const messageId = (await owner.say(channelId, 'root')).messageId;
      await owner.say(channelId, 'reply', { threadId: messageId });
      const created = await member.outcome('thread.create', { channelId, messageId, title: 'T' });
      expect(eventOf(created).event).toMatchObject({
        type: 'thread.create',
        thread: { threadId: messageId, title: 'T', createdBy: member.agentId, replies: 1 },
      });
      const again = await owner.outcome('thread.create', { channelId, messageId, title: 'Other' });
      expect(again).toMatchObject({ ok: true, event: null, result: { thread: { title: 'T' } } });
      const reply = await owner.say(channelId, 'reply 2', { threadId: messageId });
      expect(await owner.refusal('thread.create', { channelId, messageId: reply.messageId })).toBe(
        'conflict',
      );

      const stranger = agent();
      await stranger.write('channel.join', { channelId });
      const update = { channelId, threadId: messageId, title: 'New' };
      expect(await stranger.refusal('thread.update', update)).toBe('forbidden');
      expect(eventOf(await member.outcome('thread.update', update)).event).toMatchObject({
        type: 'thread.update',
        thread: { title: 'New', replies: 2 },
      });
      expect(await owner.outcome('thread.update', update)).toMatchObject({ ok: true, event: null });
      await owner.write('thread.update', { ...update, title: null });
      expect(await owner.refusal('thread.update', { ...update, threadId: 'none' })).toBe(
        'not_found',
      );
    });

    it('count the replies of one group, and page in the order of their roots', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const roots: string[] = [];
      for (const content of ['a', 'b', 'c'])
        roots.push((await owner.say(channelId, content)).messageId);
      const replies = roots.flatMap((threadId) =>
        [owner, member].map((who) => who.say(channelId, 'r', { threadId })),
      );
      await Promise.all(replies);
      const first = await owner.read('thread.list', { channelId, limit: 2 });
      const second = await owner.read('thread.list', {
        channelId,
        limit: 2,
        cursor: first.nextCursor,
      });
      expect(second.nextCursor).toBeNull();
      const threads = [...first.threads, ...second.threads];
      expect(threads.map((thread) => thread.replies)).toEqual([2, 2, 2]);
      expect(threads.map((thread) => thread.threadId)).toEqual([...roots].sort());
    });
  });

  describe('direct messages', () => {
    it('make their channel with the first: two fixed members, and seq 1', async () => {
      const { store } = database();
      const [alice, bob] = [agent(), agent()];
      const outcome = await alice.outcome('direct.send', { agentId: bob.agentId, content: 'psst' });
      const pair = [alice.agentId, bob.agentId].sort();
      const digest = createHash('sha256').update(pair.join('\n')).digest('hex');
      const channelId = `dm_${digest.slice(0, 32)}`;
      expect(directChannelId(bob.agentId, alice.agentId)).toBe(channelId);
      expect(outcome).toMatchObject({ ok: true, agentTopics: pair, result: { channelId, seq: 1 } });
      expect(eventOf(outcome)).toMatchObject({
        seq: 1,
        channelId,
        event: { type: 'channel.message' },
      });

      const answered = await bob.outcome('direct.send', {
        agentId: alice.agentId,
        content: 'yes?',
      });
      expect(answered).toMatchObject({
        ok: true,
        agentTopics: pair,
        result: { channelId, seq: 2 },
      });
      // By the channel's id it goes the same way.
      const usual = await alice.outcome('message.send', { channelId, content: 'three' });
      expect(usual).toMatchObject({ ok: true, agentTopics: pair });
      const messageId = usual.ok ? usual.result.messageId : '';
      expect(await bob.outcome('reaction.add', { channelId, messageId, emoji: 'x' })).toMatchObject(
        { agentTopics: pair },
      );
      const { channel } = await bob.read('channel.get', { channelId });
      expect(channel).toMatchObject({ kind: 'direct', head: 4, createdBy: alice.agentId });
      const { members } = await bob.read('member.list', { channelId });
      expect(members.map((member) => member.agentId)).toEqual(pair);
      expect(await store.directChannels(bob.agentId, 10)).toEqual([{ channelId, head: 4 }]);
    });

    it('stay between the two: nobody joins, leaves, is added or removed', async () => {
      const { store } = database();
      const [alice, bob, eve] = [agent(), agent(), agent()];
      const { channelId } = await alice.write('direct.send', {
        agentId: bob.agentId,
        content: 'x',
      });
      const admin = agentOf(store, undefined, { isAdmin: true });
      expect(await eve.refusal('channel.join', { channelId })).toBe('not_found');
      expect(await eve.refusal('message.send', { channelId, content: 'x' })).toBe('not_found');
      expect(await eve.readRefusal('message.history', { channelId })).toBe('not_found');
      expect(await alice.refusal('channel.leave', { channelId })).toBe('forbidden');
      expect(await admin.refusal('channel.join', { channelId })).toBe('forbidden');
      expect(await admin.refusal('member.add', { channelId, agentId: eve.agentId })).toBe(
        'forbidden',
      );
      expect(await admin.refusal('member.remove', { channelId, agentId: bob.agentId })).toBe(
        'forbidden',
      );
      expect(await alice.refusal('channel.update', { channelId, name: 'x' })).toBe('forbidden');
      expect(await alice.refusal('direct.send', { agentId: alice.agentId, content: 'me' })).toBe(
        'forbidden',
      );
      const { channels } = await eve.read('channel.list', { kind: 'direct' });
      expect(channels).toEqual([]);
    });

    it('between the same two at once from both sides share one channel', async () => {
      const other = await database().another();
      const [alice, bob] = [agent(), agent()];
      const bobElsewhere = agentOf(other, bob.agentId);
      const sent = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          i % 2
            ? alice.write('direct.send', { agentId: bob.agentId, content: `${i}` })
            : bobElsewhere.write('direct.send', { agentId: alice.agentId, content: `${i}` }),
        ),
      );
      expect(new Set(sent.map((one) => one.channelId)).size).toBe(1);
      expect(sent.map((one) => one.seq).sort((a, b) => a - b)).toEqual(
        sent.map((_one, i) => i + 1),
      );
    });
  });

  describe('collaboration events', () => {
    it('stand in the log, once for a clientMessageId', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const emit = { channelId, name: 'plan.step', payload: { step: 1 }, clientMessageId: 'c1' };
      const outcome = await owner.outcome('collaboration.emit', emit);
      expect(eventOf(outcome)).toMatchObject({
        seq: 3,
        event: { type: 'collaboration.event', name: 'plan.step', payload: { step: 1 } },
      });
      expect(await owner.outcome('collaboration.emit', emit)).toMatchObject({
        ok: true,
        result: { seq: 3 },
        event: null,
      });
      expect(await owner.refusal('collaboration.emit', { ...emit, name: 'other' })).toBe(
        'conflict',
      );
      expect(
        await owner.refusal('message.send', { channelId, content: 'x', clientMessageId: 'c1' }),
      ).toBe('conflict');
      expect(await owner.refusal('collaboration.emit', { ...emit, channelId: null })).toBe(
        'unsupported',
      );
    });
  });
}

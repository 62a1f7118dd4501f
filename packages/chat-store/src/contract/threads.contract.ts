import { describe, expect, it } from '@jest/globals';
import { agentOf, channelWithTwo, eventOf, type TestDatabase } from './world.contract.ts';

export function describeReactionsAndThreads(database: () => TestDatabase): void {
  const agent = () => agentOf(database().store);

  describe('reactions', () => {
    it('with an emoji that an earlier release stored in another spelling are counted together', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const { messageId } = await owner.say(channelId, 'here');
      const [stored, canonical] = ['\u2764', '\u2764\uFE0F'];
      const before = { channelId, messageId, emoji: stored };
      await store.append({ agentId: owner.agentId, isAdmin: false }, 'reaction.add', before);
      for (const emoji of [stored, canonical]) {
        const reaction = { channelId, messageId, emoji };
        expect(await owner.write('reaction.add', reaction)).toEqual({ seq: null, changed: false });
        await member.write('reaction.add', reaction);
      }
      const reactionsNow = async () => (await owner.history(channelId)).messages[0]?.reactions;
      expect(await reactionsNow()).toEqual({ [stored]: [owner.agentId, member.agentId] });
      const reaction = { channelId, messageId, emoji: canonical };
      for (const agent of [owner, member])
        expect(await agent.write('reaction.remove', reaction)).toMatchObject({ changed: true });
      expect(await reactionsNow()).toEqual({});
      await member.write('reaction.add', before);
      expect(await reactionsNow()).toEqual({ [canonical]: [member.agentId] });
    });

    it('are one for each agent and emoji; the same once more changes nothing (Reaction add/remove)', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const { messageId } = await owner.say(channelId, 'react');
      const like = { channelId, messageId, emoji: '👍' };
      const added = await member.outcome('reaction.add', like);
      expect(added).toMatchObject({ ok: true, result: { seq: 4, changed: true } });
      expect(eventOf(added).event).toEqual({
        type: 'channel.reaction.add',
        channelId,
        messageId,
        agentId: member.agentId,
        emoji: '👍',
      });
      const unchanged = { ok: true, events: [], result: { seq: null, changed: false } };
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
    it('are paged in both directions, root included, as if they were read whole', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const root = await owner.say(channelId, 'root');
      const { messageId: threadId } = root;
      const whole: number[] = [root.seq];
      for (let i = 0; i < 6; i++) {
        await member.say(channelId, 'beside');
        whole.push((await member.say(channelId, `${i}`, { threadId })).seq);
      }
      const beside = await owner.say(channelId, 'another root');
      await owner.say(channelId, 'another reply', { threadId: beside.messageId });
      const all = await owner.history(channelId, { threadId });
      expect([all.messages.map(({ seq }) => seq), all.hasMore]).toEqual([whole, false]);
      for (const limit of [1, 2, 6, 7, 8]) {
        for (let seq = 1; seq <= beside.seq + 2; seq++) {
          const newer = whole.filter((one) => one > seq);
          const after = await owner.history(channelId, { threadId, after: seq, limit });
          expect([seq, after.messages.map((one) => one.seq), after.hasMore]).toEqual([
            ...[seq, newer.slice(0, limit), newer.length > limit],
          ]);
          const older = whole.filter((one) => one < seq);
          const before = await owner.history(channelId, { threadId, before: seq, limit });
          expect([seq, before.messages.map((one) => one.seq), before.hasMore]).toEqual([
            ...[seq, older.slice(-limit), older.length > limit],
          ]);
        }
      }
    });

    it('begin with a reply, which is only a thread.message', async () => {
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

    it('are created with a title once, and continue to count replies', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const messageId = (await owner.say(channelId, 'root')).messageId;
      await owner.say(channelId, 'reply', { threadId: messageId });
      const created = await member.outcome('thread.create', { channelId, messageId, title: 'T' });
      expect(eventOf(created).event).toMatchObject({
        type: 'thread.create',
        thread: { threadId: messageId, title: 'T', createdBy: member.agentId, replies: 1 },
      });
      const again = await owner.outcome('thread.create', { channelId, messageId, title: 'Other' });
      expect(again).toMatchObject({ ok: true, events: [], result: { thread: { title: 'T' } } });
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
      expect(await owner.outcome('thread.update', update)).toMatchObject({ ok: true, events: [] });
      await owner.write('thread.update', { ...update, title: null });
      expect(await owner.refusal('thread.update', { ...update, threadId: 'none' })).toBe(
        'not_found',
      );
    });

    it('do not count a reply that was deleted', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const messageId = (await owner.say(channelId, 'root')).messageId;
      const replies = [];
      for (const content of ['1', '2', '3'])
        replies.push(await member.say(channelId, content, { threadId: messageId }));
      const remove = (id = '') => owner.write('message.delete', { channelId, messageId: id });
      await remove(replies[1]?.messageId);
      await remove(replies[1]?.messageId);
      const count = async () => {
        const { threads } = await owner.read('thread.list', { channelId });
        return threads.map((thread) => thread.replies);
      };
      expect(await count()).toEqual([2]);
      const created = await owner.outcome('thread.create', { channelId, messageId, title: 'T' });
      expect(eventOf(created).event).toMatchObject({ thread: { replies: 2 } });
      await Promise.all([
        member.say(channelId, '4', { threadId: messageId }),
        remove(replies[0]?.messageId),
      ]);
      const update = { channelId, threadId: messageId, title: 'New' };
      expect(eventOf(await owner.outcome('thread.update', update)).event).toMatchObject({
        thread: { replies: 2 },
      });
      await remove(messageId);
      expect(await count()).toEqual([2]);
    });

    it('count the replies of one group, and page in the order of their activity', async () => {
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
      const [a, b, c] = roots;
      // One group commits the replies in the order in which they were sent.
      expect(threads.map((thread) => thread.threadId)).toEqual([c, b, a]);
      const order = async () =>
        (await owner.read('thread.list', { channelId })).threads.map(({ threadId }) => threadId);
      const reply = await member.say(channelId, 'late', { threadId: a ?? '' });
      expect(await order()).toEqual([a, c, b]);
      await owner.write('thread.create', { channelId, messageId: b ?? '', title: 'B' });
      expect(await order()).toEqual([b, a, c]);
      await owner.write('thread.update', { channelId, threadId: b ?? '', title: 'Bee' });
      const { head } = await owner.read('thread.list', { channelId });
      expect(head).toBe(reply.seq + 2);
    });
  });
}

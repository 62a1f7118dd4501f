import { describe, expect, it } from '@jest/globals';
import { agentOf, channelWithTwo, type TestDatabase } from './world.contract.ts';

export function describeRepeats(database: () => TestDatabase): void {
  describe('a message sent again with its clientMessageId', () => {
    it('is stored once, within one group', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const send = { channelId, content: 'once', clientMessageId: 'c1' };
      const [first, ...others] = await Promise.all(
        Array.from({ length: 5 }, () => owner.outcome('message.send', send)),
      );
      if (!first?.ok) throw new Error('refused');
      expect(first.result).toMatchObject({ seq: 3, duplicate: false });
      for (const other of others) {
        expect(other).toEqual({
          ok: true,
          result: { ...first.result, duplicate: true },
          events: [],
        });
      }
      expect((await owner.history(channelId)).messages).toHaveLength(1);
    });

    it('is stored once, later and through another hub', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const first = await owner.say(channelId, 'once', { clientMessageId: 'c1' });
      const elsewhere = agentOf(await database().another(), owner.agentId);
      const again = await elsewhere.say(channelId, 'once', { clientMessageId: 'c1' });
      expect(again).toEqual({ ...first, duplicate: true });
    });

    it('is stored once when it comes through two hubs in the same moment', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const elsewhere = agentOf(await database().another(), owner.agentId);
      for (let i = 0; i < 20; i++) {
        const send = { clientMessageId: `race ${i}` };
        const results = await Promise.all([
          owner.say(channelId, 'x', send),
          elsewhere.say(channelId, 'x', send),
        ]);
        expect(results.map((result) => result.duplicate).sort()).toEqual([false, true]);
        expect(results[0]?.seq).toBe(results[1]?.seq);
      }
      expect((await owner.history(channelId)).head).toBe(22);
    });

    it('with other content is a conflict, whatever differs', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const { messageId } = await owner.say(channelId, 'root');
      const send = { channelId, content: 'once', clientMessageId: 'c1' };
      await owner.write('message.send', send);
      const others = [
        { content: 'other' },
        { threadId: messageId },
        { mentions: [member.agentId] },
        { metadata: { a: 1 } },
      ];
      for (const other of others) {
        expect(await owner.refusal('message.send', { ...send, ...other })).toBe('conflict');
      }
      expect(
        await owner.refusal('thread.create', { channelId, messageId, clientMessageId: 'c1' }),
      ).toBe('conflict');
      // A clientMessageId belongs to one sender and one channel.
      expect((await member.write('message.send', send)).duplicate).toBe(false);
      const { channel } = await owner.write('channel.create', { name: 'Other' });
      expect(
        (await owner.write('message.send', { ...send, channelId: channel.channelId })).duplicate,
      ).toBe(false);
    });

    it('still gets its first result when the channel was archived or the sender removed since', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const first = await member.say(channelId, 'once', { clientMessageId: 'c1' });
      await owner.write('member.remove', { channelId, agentId: member.agentId });
      await owner.write('channel.archive', { channelId });
      expect(await member.say(channelId, 'once', { clientMessageId: 'c1' })).toEqual({
        ...first,
        duplicate: true,
      });
      expect(
        await member.refusal('message.send', { channelId, content: 'new', clientMessageId: 'c2' }),
      ).toBe('forbidden');
    });

    it('still gets its first result when its text was deleted', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const first = await owner.say(channelId, 'once', { clientMessageId: 'c1' });
      await owner.write('message.delete', { channelId, messageId: first.messageId });
      expect(await owner.say(channelId, 'once', { clientMessageId: 'c1' })).toEqual({
        ...first,
        duplicate: true,
      });
    });

    it('holds for direct messages and threads too', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const direct = { agentId: member.agentId, content: 'psst', clientMessageId: 'd1' };
      const sent = await Promise.all([
        owner.write('direct.send', direct),
        owner.write('direct.send', direct),
      ]);
      expect(sent[1]).toEqual({ ...sent[0], duplicate: true });
      expect(await owner.refusal('direct.send', { ...direct, content: 'other' })).toBe('conflict');

      const { messageId } = await owner.say(channelId, 'root');
      const create = { channelId, messageId, title: 'T', clientMessageId: 't1' };
      const { thread } = await owner.write('thread.create', create);
      await owner.write('channel.archive', { channelId });
      expect(await owner.outcome('thread.create', create)).toMatchObject({
        ok: true,
        result: { thread },
        events: [],
      });
      expect(await owner.refusal('thread.create', { ...create, title: 'Other' })).toBe('conflict');
    });

    // The race: a member creates a thread, is removed, and repeats the call after the title was changed.
    it('shows a removed member nothing that came after', async () => {
      for (const kind of ['public', 'private'] as const) {
        const { channelId, owner, member } = await channelWithTwo(database().store, kind);
        const { messageId } = await member.say(channelId, 'root');
        const create = { channelId, messageId, title: 'T', clientMessageId: 't1' };
        await member.write('thread.create', create);
        const emit = { channelId, name: 'step', payload: {}, clientMessageId: 'e1' };
        const { seq } = await member.write('collaboration.emit', emit);
        await owner.write('member.remove', { channelId, agentId: member.agentId });
        await owner.write('thread.update', { channelId, threadId: messageId, title: 'Secret' });
        const refused = kind === 'public' ? 'forbidden' : 'not_found';
        expect(await member.refusal('thread.create', create)).toBe(refused);
        expect(await member.refusal('thread.create', { ...create, title: 'x' })).toBe(refused);
        expect(await member.write('collaboration.emit', emit)).toEqual({ seq });
        await owner.write('member.add', { channelId, agentId: member.agentId });
        expect((await member.write('thread.create', create)).thread.title).toBe('Secret');
      }
    });

    it('is refused for a token that does not cover the channel', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      const { messageId } = await owner.say(channelId, 'root');
      const send = { channelId, content: 'once', clientMessageId: 'c1' };
      const create = { channelId, messageId, title: 'T', clientMessageId: 't1' };
      const emit = { channelId, name: 'step', payload: {}, clientMessageId: 'e1' };
      await owner.write('message.send', send);
      await owner.write('thread.create', create);
      await owner.write('collaboration.emit', emit);
      const bounded = agentOf(store, owner.agentId, { channels: ['another'] });
      expect([
        await bounded.refusal('message.send', send),
        await bounded.refusal('thread.create', create),
        await bounded.refusal('collaboration.emit', emit),
      ]).toEqual(['forbidden', 'forbidden', 'forbidden']);
    });
  });
}

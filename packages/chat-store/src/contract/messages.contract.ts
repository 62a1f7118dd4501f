import { describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import { agentOf, channelWithTwo, eventOf, type TestDatabase } from './world.contract.ts';

export function describeMessages(database: () => TestDatabase): void {
  describe('messages', () => {
    it('are stored unchanged, and also sent to the members whom they mention', async () => {
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
      expect(outcome).toMatchObject({ ok: true, events: [{ agentTopics: [member.agentId] }] });
      const event = eventOf(outcome);
      expect(event).toMatchObject({ seq: 3, channelId, senderId: owner.agentId });
      const { messages, head } = await member.history(channelId);
      expect(head).toBe(3);
      expect(messages).toEqual([
        {
          id: expect.any(String),
          channelId,
          seq: 3,
          senderId: owner.agentId,
          senderKind: null,
          state: 'complete',
          content,
          timestamp: event.timestamp,
          threadId: null,
          mentions,
          metadata,
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
      expect(again).toMatchObject({ ok: true, result: { seq: null }, events: [] });
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
      expect(again).toMatchObject({ ok: true, result: { seq: null }, events: [] });
      expect(await member.refusal('message.edit', { channelId, messageId, content: 'x' })).toBe(
        'conflict',
      );
      expect(await member.refusal('reaction.add', { channelId, messageId, emoji: 'x' })).toBe(
        'conflict',
      );
      expect(await member.refusal('thread.create', { channelId, messageId })).toBe('conflict');
    });

    // A deletion hides the text at once, although the rows of the edits are redacted later.
    it('are edited a limited number of times, and are deleted with the text of every edit', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      const { messageId } = await owner.say(channelId, 'secret');
      const kept = await owner.say(channelId, 'harmless');
      await owner.write('message.edit', { channelId, messageId: kept.messageId, content: 'kept' });
      const edit = (content: string) =>
        owner.refusal('message.edit', { channelId, messageId, content });
      const edits = Array.from({ length: limits.edits + 2 }, (_, i) => `secret ${i}`);
      const answers = await Promise.all(edits.map(edit));
      expect(answers).toEqual(edits.map((_edit, i) => (i < limits.edits ? 'ok' : 'conflict')));
      expect(await edit(`secret ${limits.edits - 1}`)).toBe('ok');
      const { messages } = await owner.history(channelId);
      expect(messages[0]?.content).toBe(`secret ${limits.edits - 1}`);

      const seq = 6 + limits.edits;
      expect(await owner.write('message.delete', { channelId, messageId })).toEqual({ seq });
      const elsewhere = agentOf(await database().another(), owner.agentId);
      for (const who of [owner, elsewhere]) {
        const log = await who.log(channelId);
        expect(JSON.stringify(log)).not.toContain('secret');
        expect(log.map((event) => event.seq)).toEqual(log.map((_event, index) => index + 1));
        const own = log.filter(({ event }) => event.type === 'channel.message.edit');
        expect(own).toHaveLength(limits.edits + 1);
        expect(own[0]?.event).toMatchObject({ message: { content: 'kept' } });
        for (const { event, timestamp, channelId: of } of own.slice(1)) {
          expect([of, event]).toMatchObject([
            channelId,
            { channelId, message: { id: messageId, content: '', editedAt: timestamp } },
          ]);
        }
        expect(JSON.stringify(await who.read('log.read', { channelId, after: 9 }))).not.toContain(
          'secret',
        );
        const page = await who.history(channelId);
        expect(page.messages).toMatchObject([
          { id: messageId, content: '', deletedAt: expect.any(Number) },
          { content: 'kept', deletedAt: null },
        ]);
      }
      expect(await edit('again')).toBe('conflict');
    });

    it('are read one by one, in their present state, by members of their channel alone', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const { messageId } = await owner.say(channelId, 'first', { mentions: [member.agentId] });
      const get = { channelId, messageId };
      await owner.write('message.edit', { ...get, content: 'second' });
      await member.write('reaction.add', { ...get, emoji: '👍' });
      const { messages } = await owner.history(channelId);
      expect(await member.read('message.get', get)).toEqual({ message: messages[0] });
      expect(messages[0]).toMatchObject({
        content: 'second',
        reactions: { '👍': [member.agentId] },
      });
      expect(await agentOf(store).readRefusal('message.get', get)).toBe('forbidden');
      const elsewhere = await channelWithTwo(store);
      expect(
        await elsewhere.owner.readRefusal('message.get', {
          ...get,
          channelId: elsewhere.channelId,
        }),
      ).toBe('not_found');
      await owner.write('message.delete', get);
      expect((await member.read('message.get', get)).message).toMatchObject({
        content: '',
        mentions: [],
        deletedAt: expect.any(Number),
        reactions: {},
      });
      await owner.write('member.remove', { channelId, agentId: member.agentId });
      expect(await member.readRefusal('message.get', get)).toBe('forbidden');
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
}

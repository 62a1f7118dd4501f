import { describe, expect, it } from '@jest/globals';
import { limits, type Message } from '@openclaw/protocol';
import { agentOf, channelWithTwo, eventOf, uniqueId, type TestDatabase } from './world.contract.ts';

export function describeOrigin(database: () => TestDatabase): void {
  const messageOf = (outcome: Parameters<typeof eventOf>[0]): Message => {
    const { event } = eventOf(outcome);
    if (!('message' in event)) throw new Error('the event has no message');
    return event.message;
  };

  describe('the origin of a message', () => {
    it('is absent for a message over a socket without other origin fields', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      const person = agentOf(store, owner.agentId, { kind: 'person', via: 'ws' });
      const outcome = await person.outcome('message.send', { channelId, content: 'plain' });
      expect(eventOf(outcome)).toMatchObject({ senderId: owner.agentId, senderKind: 'person' });
      expect(messageOf(outcome)).toEqual({
        id: expect.any(String),
        channelId,
        seq: 3,
        senderId: owner.agentId,
        senderKind: 'person',
        state: 'complete',
        content: 'plain',
        timestamp: expect.any(Number),
        threadId: null,
        mentions: [],
        metadata: null,
        editedAt: null,
        deletedAt: null,
        reactions: {},
      });
    });

    it('contains transport, principal, causes and taints, and is kept by edits and deletion', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const first = await member.say(channelId, 'from the web', { taint: ['web', 'web', 'mail'] });
      const second = await member.say(channelId, 'more', { taint: ['pii'] });
      const bot = agentOf(store, owner.agentId, {
        kind: 'service',
        via: 'rest',
        onBehalfOf: 'carol',
      });
      const outcome = await bot.outcome('message.send', {
        channelId,
        content: 'sum',
        clientMessageId: 'own 1',
        replyTo: second.messageId,
        cause: [first.messageId],
        taint: ['sum', 'web'],
      });
      const sent = messageOf(outcome);
      const origin = {
        via: 'rest',
        onBehalfOf: 'carol',
        cause: [second.messageId, first.messageId],
        taint: ['sum', 'web', 'pii', 'mail'],
      };
      expect(sent).toMatchObject({
        senderKind: 'service',
        clientMessageId: 'own 1',
        replyTo: second.messageId,
        origin,
      });
      expect((await member.history(channelId)).messages.at(-1)).toEqual(sent);

      const { id: messageId } = sent;
      const edited = await owner.outcome('message.edit', { channelId, messageId, content: 'SUM' });
      expect(messageOf(edited)).toEqual({
        ...sent,
        content: 'SUM',
        editedAt: expect.any(Number),
      });
      const deleted = await owner.outcome('message.delete', { channelId, messageId });
      expect(messageOf(deleted)).toMatchObject({ content: '', senderKind: 'service', origin });
      // A message takes over the taints of its causes, even of deleted ones.
      const next = await owner.outcome('message.send', {
        channelId,
        content: 'x',
        cause: [messageId],
      });
      expect(messageOf(next).origin).toEqual({
        via: 'ws',
        onBehalfOf: null,
        cause: [messageId],
        taint: origin.taint,
      });
    });

    it('names only messages that the sender may read, and a reply only one of its channel', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const elsewhere = await channelWithTwo(store, 'private');
      const secret = await elsewhere.owner.say(elsewhere.channelId, 'secret');
      const open = await channelWithTwo(store, 'public');
      const heard = await open.owner.say(open.channelId, 'open, but for members');
      const direct = await owner.write('direct.send', { agentId: member.agentId, content: 'psst' });
      const refusal = (more: object) =>
        owner.refusal('message.send', { channelId, content: 'x', ...more });
      for (const { messageId } of [secret, heard, { messageId: 'none' }]) {
        expect(await refusal({ cause: [messageId] })).toBe('not_found');
        expect(await refusal({ replyTo: messageId })).toBe('not_found');
      }
      expect(await refusal({ cause: [direct.messageId] })).toBe('ok');
      expect(await refusal({ replyTo: direct.messageId })).toBe('not_found');

      await elsewhere.owner.write('member.add', {
        channelId: elsewhere.channelId,
        agentId: owner.agentId,
      });
      expect(await refusal({ cause: [secret.messageId] })).toBe('ok');
      const bounded = agentOf(store, owner.agentId, { channels: [channelId] });
      expect(
        await bounded.refusal('message.send', {
          channelId,
          content: 'x',
          cause: [secret.messageId],
        }),
      ).toBe('not_found');
      // The removal and the send are in one group, in this order.
      const [, late] = await Promise.all([
        elsewhere.owner.write('member.remove', {
          channelId: elsewhere.channelId,
          agentId: owner.agentId,
        }),
        refusal({ cause: [secret.messageId] }),
      ]);
      expect(late).toBe('not_found');
      const admin = agentOf(store, uniqueId('admin'), { isAdmin: true });
      expect(
        await admin.refusal('message.send', { channelId, content: 'x', cause: [secret.messageId] }),
      ).toBe('ok');
    });

    it('has at most 32 taints of 64 characters, those of its causes included', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const taintsOf = (prefix: string) =>
        Array.from({ length: limits.ownTaints }, (_, i) => `${prefix}${i}`);
      const one = await owner.say(channelId, 'one', { taint: taintsOf('a') });
      const two = await owner.say(channelId, 'two', { taint: taintsOf('b') });
      const cause = [one.messageId, two.messageId];
      const refusal = (taint: string[]) =>
        owner.refusal('message.send', { channelId, content: 'x', cause, taint });
      expect(await refusal(['a1', 'b2'])).toBe('ok');
      expect(await refusal(['c'])).toBe('too_large');
      const long = 'x'.repeat(limits.taintChars);
      expect(await owner.refusal('message.send', { channelId, content: 'x', taint: [long] })).toBe(
        'ok',
      );
      expect(
        await owner.refusal('message.send', { channelId, content: 'x', taint: [`${long}x`] }),
      ).toBe('too_large');
    });

    it('is part of a direct message too, and a refused first one creates no channel', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      const { messageId } = await owner.say(channelId, 'tainted', { taint: ['web'] });
      const [friend, stranger] = [agentOf(store), agentOf(store)];
      const send = { agentId: friend.agentId, content: 'x' };
      expect(await stranger.refusal('direct.send', { ...send, cause: [messageId] })).toBe(
        'not_found',
      );
      expect(await owner.refusal('direct.send', { ...send, replyTo: messageId })).toBe('not_found');
      expect(await store.directChannels(friend.agentId, 10)).toEqual([]);
      const outcome = await owner.outcome('direct.send', { ...send, cause: [messageId] });
      expect(messageOf(outcome)).toMatchObject({ origin: { cause: [messageId], taint: ['web'] } });
      const first = messageOf(outcome);
      const answered = await friend.outcome('direct.send', {
        agentId: owner.agentId,
        content: 'y',
        replyTo: first.id,
      });
      expect(messageOf(answered)).toMatchObject({ replyTo: first.id, origin: { taint: ['web'] } });
    });

    it('counts as different content under a clientMessageId that was used before', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const { messageId } = await owner.say(channelId, 'first');
      const send = { channelId, content: 'x', clientMessageId: 'own 1', replyTo: messageId };
      await owner.write('message.send', send);
      expect(await owner.write('message.send', send)).toMatchObject({ duplicate: true });
      for (const other of [{ replyTo: null }, { taint: ['web'] }, { cause: [messageId] }]) {
        expect(await owner.refusal('message.send', { ...send, ...other })).toBe('conflict');
      }
    });
  });

  describe('known agents', () => {
    const kindsOf = async (agent: ReturnType<typeof agentOf>, channelId: string) => {
      const { members } = await agent.read('member.list', { channelId });
      return Object.fromEntries(members.map(({ agentId, kind }) => [agentId, kind]));
    };

    it('give members their kind: that of the last token, and null until one was shown', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const ids = [owner.agentId, member.agentId];
      expect(await kindsOf(owner, channelId)).toEqual({
        [ids[0] ?? '']: null,
        [ids[1] ?? '']: null,
      });
      await store.recordAgents([
        { agentId: owner.agentId, kind: 'person' },
        { agentId: member.agentId, kind: 'agent' },
        { agentId: uniqueId('stranger'), kind: null },
      ]);
      await store.recordAgents([
        { agentId: member.agentId, kind: 'service' },
        { agentId: owner.agentId, kind: null },
      ]);
      await store.recordAgents([]);
      expect(await kindsOf(owner, channelId)).toEqual({
        [owner.agentId]: 'person',
        [member.agentId]: 'service',
      });
      const change = { channelId, agentId: member.agentId, displayName: 'M' };
      expect(eventOf(await owner.outcome('member.update', change)).event).toMatchObject({
        member: { agentId: member.agentId, kind: 'service' },
      });
      const gone = { channelId, agentId: member.agentId };
      expect(eventOf(await owner.outcome('member.remove', gone)).event).toMatchObject({
        member: { kind: 'service' },
      });
      expect(eventOf(await owner.outcome('member.add', gone)).event).toMatchObject({
        member: { kind: 'service' },
      });
    });

    it('include a joining agent with the kind in its own token', async () => {
      const { store } = database();
      const { channelId } = await channelWithTwo(store, 'public');
      const joiner = agentOf(store, uniqueId('joiner'), { kind: 'person' });
      expect(eventOf(await joiner.outcome('channel.join', { channelId })).event).toMatchObject({
        member: { agentId: joiner.agentId, kind: 'person' },
      });
    });
  });
}

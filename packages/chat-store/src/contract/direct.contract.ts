import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { directChannelId } from '../index.ts';
import { agentOf, channelWithTwo, eventOf, type TestDatabase } from './world.contract.ts';

export function describeDirectMessages(database: () => TestDatabase): void {
  const agent = () => agentOf(database().store);

  describe('direct messages', () => {
    it('create their channel with the first one: two fixed members, and seq 1', async () => {
      const { store } = database();
      const [alice, bob] = [agent(), agent()];
      const outcome = await alice.outcome('direct.send', { agentId: bob.agentId, content: 'psst' });
      const pair = [alice.agentId, bob.agentId].sort();
      const digest = createHash('sha256').update(pair.join('\n')).digest('hex');
      const channelId = `dm_${digest.slice(0, 32)}`;
      expect(directChannelId(bob.agentId, alice.agentId)).toBe(channelId);
      expect(outcome).toMatchObject({
        ok: true,
        events: [{ agentTopics: pair }],
        result: { channelId, seq: 1 },
      });
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
        events: [{ agentTopics: pair }],
        result: { channelId, seq: 2 },
      });
      const usual = await alice.outcome('message.send', { channelId, content: 'three' });
      expect(usual).toMatchObject({ ok: true, events: [{ agentTopics: pair }] });
      const messageId = usual.ok ? usual.result.messageId : '';
      expect(await bob.outcome('reaction.add', { channelId, messageId, emoji: 'x' })).toMatchObject(
        { events: [{ agentTopics: pair }] },
      );
      const { channel } = await bob.read('channel.get', { channelId });
      expect(channel).toMatchObject({ kind: 'direct', head: 4, createdBy: alice.agentId });
      const { members } = await bob.read('member.list', { channelId });
      expect(members.map((member) => member.agentId)).toEqual(pair);
      expect(await store.directChannels(bob.agentId, 10)).toMatchObject([{ channelId, head: 4 }]);
    });

    // The race: in one group, a message that names a direct channel by its id comes before the message that creates it.
    it('accept no message that was sent by their id before the first one', async () => {
      const [alice, bob] = [agent(), agent()];
      const channelId = directChannelId(alice.agentId, bob.agentId);
      const [early, first, then] = await Promise.all([
        alice.outcome('message.send', { channelId, content: 'too early' }),
        alice.outcome('direct.send', { agentId: bob.agentId, content: 'first' }),
        alice.outcome('message.send', { channelId, content: 'then' }),
      ]);
      expect(early).toMatchObject({ ok: false, code: 'not_found' });
      expect([first, then]).toMatchObject([{ result: { seq: 1 } }, { result: { seq: 2 } }]);
    });

    it('are created by the sender of the first one, also when both send at once', async () => {
      const [alice, bob] = [agent(), agent()];
      const send = (from: typeof alice, to: typeof alice) =>
        from.write('direct.send', { agentId: to.agentId, content: 'hello' });
      const [{ channelId }] = await Promise.all([send(alice, bob), send(bob, alice)]);
      const { channel } = await bob.read('channel.get', { channelId });
      expect(channel.createdBy).toBe(alice.agentId);
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

    // The race: the peer's own message creates the channel in the same group.
    it('of a sender that may create no further channel are accepted only in existing ones', async () => {
      const { store } = database();
      const [alice, bob, eve] = [agent(), agent(), agent()];
      const limited = agentOf(store, alice.agentId, { mayOpenDirects: false });
      const hello = (to: typeof alice) => ({ agentId: to.agentId, content: 'hello' });
      expect(await limited.refusal('direct.send', hello(bob))).toBe('rate_limited');
      const channelId = directChannelId(alice.agentId, bob.agentId);
      expect(await alice.readRefusal('channel.get', { channelId })).toBe('not_found');
      await bob.write('direct.send', hello(alice));
      expect(await limited.write('direct.send', hello(bob))).toMatchObject({ channelId, seq: 2 });
      const [to, from] = await Promise.all([
        limited.outcome('direct.send', hello(eve)),
        eve.outcome('direct.send', hello(alice)),
      ]);
      expect([to, from].map((outcome) => outcome.ok)).toContain(true);
      const { head } = (await store.directChannels(eve.agentId, 10))[0] ?? { head: 0 };
      expect(head).toBe([to, from].filter((outcome) => outcome.ok).length);
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
    it('are in the log, once for each clientMessageId', async () => {
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
        events: [],
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

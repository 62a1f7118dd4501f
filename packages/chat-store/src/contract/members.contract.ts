import { describe, expect, it } from '@jest/globals';
import { agentOf, channelWithTwo, eventOf, type TestDatabase } from './world.contract.ts';

export function describeMembers(database: () => TestDatabase): void {
  const agent = (admin = false) => agentOf(database().store, undefined, { isAdmin: admin });

  describe('members', () => {
    it('join public channels once: the second time changes and emits nothing', async () => {
      const { channelId } = await channelWithTwo(database().store);
      const eve = agent();
      const joined = await eve.outcome('channel.join', { channelId });
      expect(eventOf(joined).event).toMatchObject({
        type: 'channel.member.join',
        member: { agentId: eve.agentId, role: 'member' },
      });
      const again = await eve.outcome('channel.join', { channelId });
      expect(again).toMatchObject({ ok: true, events: [] });
      expect(again.ok && again.result).toEqual(joined.ok && joined.result);
    });

    it('of a private channel are added by owners; to outsiders it does not exist', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store, 'private');
      const eve = agent();
      expect(await eve.refusal('channel.join', { channelId })).toBe('not_found');
      expect(await eve.refusal('message.send', { channelId, content: 'x' })).toBe('not_found');
      expect(await eve.readRefusal('channel.get', { channelId })).toBe('not_found');
      expect(await member.refusal('member.add', { channelId, agentId: eve.agentId })).toBe(
        'forbidden',
      );
      const added = await owner.outcome('member.add', {
        channelId,
        agentId: eve.agentId,
        displayName: 'Eve',
        role: 'owner',
      });
      expect(added).toMatchObject({ ok: true, events: [{ agentTopics: [eve.agentId] }] });
      expect(eventOf(added)).toMatchObject({
        senderId: owner.agentId,
        event: { member: { agentId: eve.agentId, displayName: 'Eve', role: 'owner' } },
      });
      const again = await owner.outcome('member.add', { channelId, agentId: eve.agentId });
      expect(again).toMatchObject({ ok: true, events: [], result: { member: { role: 'owner' } } });
      await eve.say(channelId, 'thanks');
    });

    it('leave or are removed, and from then on are outsiders', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const eve = agent();
      await eve.write('channel.join', { channelId });
      expect(await eve.refusal('member.remove', { channelId, agentId: member.agentId })).toBe(
        'forbidden',
      );
      const removed = await owner.outcome('member.remove', { channelId, agentId: member.agentId });
      expect(removed).toMatchObject({
        ok: true,
        result: {},
        events: [{ agentTopics: [member.agentId] }],
      });
      expect(eventOf(removed).event).toMatchObject({
        type: 'channel.member.leave',
        member: { agentId: member.agentId },
      });
      expect(await member.refusal('message.send', { channelId, content: 'x' })).toBe('forbidden');
      expect(await member.refusal('channel.leave', { channelId })).toBe('forbidden');
      expect(await owner.refusal('member.remove', { channelId, agentId: member.agentId })).toBe(
        'not_found',
      );
      const left = await eve.outcome('member.remove', { channelId, agentId: eve.agentId });
      expect(left).toMatchObject({ ok: true, events: [{ agentTopics: [eve.agentId] }] });
      const { members } = await owner.read('member.list', { channelId });
      expect(members.map((one) => one.agentId)).toEqual([owner.agentId]);
    });

    it('always include an owner: the last one can neither leave, nor be removed, nor demoted', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const { agentId } = owner;
      const admin = agent(true);
      expect(await owner.refusal('channel.leave', { channelId })).toBe('conflict');
      expect(await owner.refusal('member.remove', { channelId, agentId })).toBe('conflict');
      expect(await admin.refusal('member.remove', { channelId, agentId })).toBe('conflict');
      expect(await owner.refusal('member.update', { channelId, agentId, role: 'member' })).toBe(
        'conflict',
      );
      await owner.write('member.update', { channelId, agentId: member.agentId, role: 'owner' });
      await owner.write('member.update', { channelId, agentId, role: 'member' });
      await owner.write('channel.leave', { channelId });
      expect(await member.refusal('channel.leave', { channelId })).toBe('conflict');
    });

    it('keep one owner when two owners leave in the same moment', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      await owner.write('member.update', { channelId, agentId: member.agentId, role: 'owner' });
      const codes = await Promise.all([
        owner.refusal('channel.leave', { channelId }),
        member.refusal('channel.leave', { channelId }),
      ]);
      expect(codes.sort()).toEqual(['conflict', 'ok']);
    });

    it('have roles that owners give, and a display name that is their own to change', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const { agentId } = member;
      const named = await member.outcome('member.update', { channelId, agentId, displayName: 'M' });
      expect(eventOf(named).event).toMatchObject({
        type: 'channel.member.update',
        member: { displayName: 'M', role: 'member' },
      });
      const again = await member.outcome('member.update', { channelId, agentId, displayName: 'M' });
      expect(again).toMatchObject({ ok: true, events: [] });
      expect(await member.refusal('member.update', { channelId, agentId, role: 'owner' })).toBe(
        'forbidden',
      );
      expect(
        await member.refusal('member.update', {
          channelId,
          agentId: owner.agentId,
          displayName: 'x',
        }),
      ).toBe('forbidden');
      expect(
        await owner.refusal('member.update', { channelId, agentId: 'nobody', role: 'owner' }),
      ).toBe('not_found');
      const { member: cleared } = await owner.write('member.update', {
        channelId,
        agentId,
        displayName: null,
      });
      expect(cleared).toMatchObject({ displayName: null });
    });

    it('are listed page by page (Channel member list sync)', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const eve = agent();
      await eve.write('channel.join', { channelId });
      const all = [owner.agentId, member.agentId, eve.agentId].sort();
      const first = await eve.read('member.list', { channelId, limit: 2 });
      expect(first.members.map((one) => one.agentId)).toEqual(all.slice(0, 2));
      const second = await eve.read('member.list', {
        channelId,
        limit: 2,
        cursor: first.nextCursor,
      });
      expect(second.members.map((one) => one.agentId)).toEqual(all.slice(2));
      expect(second.nextCursor).toBeNull();
    });
  });
}

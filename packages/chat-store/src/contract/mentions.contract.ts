import { limits } from '@openclaw/protocol';
import { describe, expect, it } from '@jest/globals';
import { agentOf, channelWithTwo, type Agent, type TestDatabase } from './world.contract.ts';

export function describeMentions(database: () => TestDatabase): void {
  const parsed = { parseMentions: true };
  const newest = async (agent: Agent, channelId: string) =>
    (await agent.history(channelId)).messages.at(-1);
  const counted = async (agent: Agent, channelId: string) =>
    (await agent.read('read.state', {})).channels.find((one) => one.channelId === channelId)
      ?.mentions;
  async function addMembers(owner: Agent, channelId: string, count: number): Promise<void> {
    for (let i = 0; i < count; i += 1)
      await owner.write('member.add', { channelId, agentId: agentOf(database().store).agentId });
  }

  describe('mentions in the text of a message', () => {
    it('are those of members, beside the given ones, and the others are reported', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const [other, ghost] = [agentOf(store), agentOf(store)];
      await owner.write('member.add', { channelId, agentId: other.agentId });
      const content = `@${member.agentId}. and \`@${other.agentId}\` and @${ghost.agentId}, @nobody`;
      const given = [other.agentId, 'stranger'];
      const outcome = await owner.outcome('message.send', {
        ...{ channelId, content, mentions: given, ...parsed },
      });
      expect(outcome).toMatchObject({
        ok: true,
        result: { unreached: ['stranger', ghost.agentId, 'nobody'] },
        events: [{ agentTopics: [other.agentId, member.agentId] }],
      });
      expect((await newest(owner, channelId))?.mentions).toEqual([...given, member.agentId]);
      for (const agent of [member, other]) expect(await counted(agent, channelId)).toBe(1);
      // Negative control: without the param, the text is not parsed.
      expect(await owner.say(channelId, content, { mentions: given })).toMatchObject({
        unreached: ['stranger'],
      });
      expect((await newest(owner, channelId))?.mentions).toEqual(given);
      expect(await counted(member, channelId)).toBe(1);
    });

    it('mean the longest id that is a member’s', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const longer = agentOf(store, `${member.agentId}.-`);
      const content = `@${longer.agentId}.`;
      await owner.say(channelId, content, parsed);
      expect((await newest(owner, channelId))?.mentions).toEqual([member.agentId]);
      await owner.write('member.add', { channelId, agentId: longer.agentId });
      await owner.say(channelId, content, parsed);
      expect((await newest(owner, channelId))?.mentions).toEqual([longer.agentId]);
    });

    it('are limited together with the given ones', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const names = Array.from({ length: 80 }, (_, i) => `@nobody${i}`).join(' ');
      const mentions = Array.from({ length: limits.mentions }, (_, i) => `stranger${i}`);
      const { unreached } = await owner.say(channelId, names, { mentions, ...parsed });
      expect(unreached).toEqual(mentions);
      expect((await owner.say(channelId, names, parsed)).unreached).toHaveLength(limits.mentions);
    });

    it('stay those of the first text when the message is edited', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const { messageId } = await owner.say(channelId, `@${member.agentId} @all`, parsed);
      await owner.write('message.edit', { channelId, messageId, content: 'nobody' });
      expect(await newest(owner, channelId)).toMatchObject({
        ...{ content: 'nobody', mentions: [member.agentId], mentionsAll: true },
      });
    });

    it('of a direct message are the two agents of its channel', async () => {
      const { store } = database();
      const [ana, ben] = [agentOf(store), agentOf(store)];
      const content = `@${ben.agentId} ask @eve or @all`;
      const params = { agentId: ben.agentId, content, ...parsed };
      const { channelId, unreached } = await ana.write('direct.send', params);
      expect(unreached).toEqual(['eve']);
      expect(await newest(ben, channelId)).toMatchObject({
        ...{ mentions: [ben.agentId], mentionsAll: true },
      });
      expect(await counted(ben, channelId)).toBe(1);
    });

    it('of a repeat are answered as they are now, but not to a sender that was removed', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const guest = agentOf(store);
      const content = `@${guest.agentId}`;
      const message = { clientMessageId: 'm1', ...parsed };
      const first = await member.say(channelId, content, message);
      expect(first).toMatchObject({ unreached: [guest.agentId], duplicate: false });
      const repeat = { ...first, duplicate: true };
      expect(await member.say(channelId, content, message)).toEqual(repeat);
      await owner.write('member.add', { channelId, agentId: guest.agentId });
      expect(await member.say(channelId, content, message)).toEqual({ ...repeat, unreached: [] });
      // Transports have different defaults of `parseMentions`, so a repeat over another transport may differ in it.
      expect(
        await member.say(channelId, content, { ...message, parseMentions: false }),
      ).toMatchObject({ duplicate: true });
      await owner.write('member.remove', { channelId, agentId: guest.agentId });
      await owner.write('member.remove', { channelId, agentId: member.agentId });
      expect(await member.say(channelId, content, message)).toEqual({ ...repeat, unreached: [] });
    });
  });

  describe('a mention of everyone', () => {
    it('counts once for each member who joined before it, and costs one row', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const late = agentOf(store);
      const { messageId, unreached } = await owner.say(channelId, 'hi @all', parsed);
      expect(unreached).toEqual([]);
      expect(await newest(member, channelId)).toMatchObject({ mentions: [], mentionsAll: true });
      await owner.say(channelId, `@all and @${member.agentId}`, parsed);
      await owner.write('member.add', { channelId, agentId: late.agentId });
      await member.say(channelId, '@all', parsed);
      expect(await counted(owner, channelId)).toBe(1);
      expect(await counted(member, channelId)).toBe(2);
      expect(await counted(late, channelId)).toBe(1);
      await member.write('read.mark', { channelId, seq: 3 });
      expect(await counted(member, channelId)).toBe(1);
      await owner.write('message.delete', { channelId, messageId });
      await member.write('member.remove', { channelId, agentId: member.agentId });
      await owner.write('member.add', { channelId, agentId: member.agentId });
      expect(await counted(member, channelId)).toBe(1);
    });

    it('does not count for a member who joins in the same commit after it', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      const guests = Array.from({ length: 10 }, () => agentOf(store));
      // The calls are made at once, so that they share commits and have equal times.
      const together = guests.flatMap((guest) => [
        owner.say(channelId, '@all', parsed),
        guest.write('channel.join', { channelId }),
      ]);
      await Promise.all(together);
      const expected = guests.map((_, index) => guests.length - 1 - index);
      expect(await Promise.all(guests.map((guest) => counted(guest, channelId)))).toEqual(expected);
    });

    it('counts from anyone in a small channel, and in a large one from owners, persons and admins', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      await addMembers(owner, channelId, 48);
      expect((await member.say(channelId, '@all', parsed)).unreached).toEqual([]);
      await addMembers(owner, channelId, 1);
      expect((await member.say(channelId, '@all @x', parsed)).unreached).toEqual(['@all', 'x']);
      expect(await newest(member, channelId)).not.toHaveProperty('mentionsAll');
      const person = agentOf(store, member.agentId, { kind: 'person' });
      const admin = agentOf(store, undefined, { isAdmin: true });
      for (const agent of [owner, person, admin]) {
        expect((await agent.say(channelId, '@all', parsed)).unreached).toEqual([]);
        expect(await newest(owner, channelId)).toMatchObject({ mentionsAll: true });
      }
      // The answer to a repeat depends on the current size. After a member is removed, the channel is small again.
      const repeat = { clientMessageId: 'all', ...parsed };
      await member.say(channelId, '@all', repeat);
      const { members } = await owner.read('member.list', { channelId, limit: 200 });
      const last = members.find(
        ({ role, agentId }) => role === 'member' && agentId !== member.agentId,
      );
      await owner.write('member.remove', { channelId, agentId: last?.agentId ?? '' });
      expect(await member.say(channelId, '@all', repeat)).toMatchObject({
        ...{ duplicate: true, unreached: [] },
      });
    });
  });
}

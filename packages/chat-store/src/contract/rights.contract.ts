import { describe, expect, it } from '@jest/globals';
import { agentOf, channelWithTwo, type TestDatabase } from './world.contract.ts';

export function describeRights(database: () => TestDatabase): void {
  const agent = (admin = false) => agentOf(database().store, undefined, { isAdmin: admin });

  describe('rights', () => {
    const rows = [
      ['public', 'channel.get', 'ok', 'ok', 'ok', 'ok'],
      ['private', 'channel.get', 'not_found', 'ok', 'ok', 'ok'],
      ['public', 'message.history', 'forbidden', 'ok', 'ok', 'ok'],
      ['private', 'message.history', 'not_found', 'ok', 'ok', 'ok'],
      ['public', 'log.read', 'forbidden', 'ok', 'ok', 'ok'],
      ['public', 'member.list', 'forbidden', 'ok', 'ok', 'ok'],
      ['private', 'thread.list', 'not_found', 'ok', 'ok', 'ok'],
      ['public', 'message.send', 'forbidden', 'ok', 'ok', 'ok'],
      ['private', 'message.send', 'not_found', 'ok', 'ok', 'ok'],
      ['public', 'read.mark', 'forbidden', 'ok', 'ok', 'ok'],
      ['public', 'collaboration.emit', 'forbidden', 'ok', 'ok', 'ok'],
      ['public', 'message.edit', 'forbidden', 'forbidden', 'forbidden', 'ok'],
      ['public', 'message.delete', 'forbidden', 'forbidden', 'ok', 'ok'],
      ['public', 'channel.update', 'forbidden', 'forbidden', 'ok', 'ok'],
      ['private', 'channel.update', 'not_found', 'forbidden', 'ok', 'ok'],
      ['public', 'channel.archive', 'forbidden', 'forbidden', 'ok', 'ok'],
      ['private', 'channel.delete', 'not_found', 'forbidden', 'ok', 'ok'],
      ['public', 'member.add', 'forbidden', 'forbidden', 'ok', 'ok'],
      ['private', 'channel.join', 'not_found', 'ok', 'ok', 'ok'],
    ] as const;

    it.each(rows)(
      '%s: %s answers outsider %s, member %s, owner %s, admin %s',
      async (kind, method, ...expected) => {
        const answers: string[] = [];
        for (const role of ['outsider', 'member', 'owner', 'admin'] as const) {
          const { channelId, owner, member } = await channelWithTwo(database().store, kind);
          const author = agent();
          await owner.write('member.add', { channelId, agentId: author.agentId });
          const { messageId } = await author.say(channelId, 'text');
          const who = { outsider: agent(), member, owner, admin: agent(true) }[role];
          const asked = {
            'channel.get': () => who.readRefusal('channel.get', { channelId }),
            'message.history': () => who.readRefusal('message.history', { channelId }),
            'log.read': () => who.readRefusal('log.read', { channelId, after: 0 }),
            'member.list': () => who.readRefusal('member.list', { channelId }),
            'thread.list': () => who.readRefusal('thread.list', { channelId }),
            'message.send': () => who.refusal('message.send', { channelId, content: 'x' }),
            'read.mark': () => who.refusal('read.mark', { channelId, seq: 1 }),
            'collaboration.emit': () =>
              who.refusal('collaboration.emit', { channelId, name: 'x', payload: {} }),
            'message.edit': () =>
              who.refusal('message.edit', { channelId, messageId, content: 'x' }),
            'message.delete': () => who.refusal('message.delete', { channelId, messageId }),
            'channel.update': () => who.refusal('channel.update', { channelId, name: 'x' }),
            'channel.archive': () => who.refusal('channel.archive', { channelId }),
            'channel.delete': () => who.refusal('channel.delete', { channelId }),
            'member.add': () => who.refusal('member.add', { channelId, agentId: 'new' }),
            'channel.join': () => who.refusal('channel.join', { channelId }),
          };
          answers.push(await asked[method]());
        }
        expect(answers).toEqual(expected);
      },
    );

    it('applies within one group: calls after a removal in it are refused', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const answers = await Promise.all([
        member.refusal('message.send', { channelId, content: 'still in' }),
        owner.refusal('member.remove', { channelId, agentId: member.agentId }),
        member.refusal('message.send', { channelId, content: 'out' }),
        owner.refusal('message.send', { channelId, content: 'mine' }),
      ]);
      expect(answers).toEqual(['ok', 'ok', 'forbidden', 'ok']);
    });
  });
}

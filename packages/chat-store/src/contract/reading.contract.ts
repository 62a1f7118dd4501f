import { describe, expect, it } from '@jest/globals';
import { agentOf, channelWithTwo, type TestDatabase } from './world.contract.ts';

export function describeReading(database: () => TestDatabase): void {
  describe('read state', () => {
    it('counts messages of others after the mark, and mentions separately', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const state = async () => (await member.read('read.state', {})).channels;
      await owner.say(channelId, 'one');
      const mentioned = await owner.say(channelId, 'two', {
        mentions: [member.agentId, owner.agentId],
      });
      await member.say(channelId, 'my own', { mentions: [member.agentId] });
      const last = await owner.say(channelId, 'three', { mentions: [member.agentId] });
      expect(await state()).toEqual([{ channelId, seq: 0, head: 6, unread: 3, mentions: 2 }]);
      expect((await owner.read('read.state', {})).channels).toEqual([
        { channelId, seq: 0, head: 6, unread: 1, mentions: 0 },
      ]);
      await member.write('read.mark', { channelId, seq: mentioned.seq });
      expect(await state()).toEqual([{ channelId, seq: 4, head: 6, unread: 1, mentions: 1 }]);
      await owner.write('message.delete', { channelId, messageId: last.messageId });
      expect(await state()).toEqual([{ channelId, seq: 4, head: 7, unread: 0, mentions: 0 }]);
    });

    it('goes back only when asked to, and never past the head', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      await owner.say(channelId, 'one');
      await owner.say(channelId, 'two');
      for (const [seq, expected] of [
        [3, 3],
        [1, 3],
        [1000, 4],
        [2, 4],
      ] as const) {
        await member.write('read.mark', { channelId, seq });
        const { channels } = await member.read('read.state', {});
        expect(channels[0]?.seq).toBe(expected);
      }
      await owner.say(channelId, 'three');
      const { channels } = await member.read('read.state', {});
      expect(channels).toMatchObject([{ seq: 4, unread: 1 }]);
      for (const [seq, expected] of [
        [3, { seq: 3, unread: 2 }],
        [0, { seq: 0, unread: 3 }],
        [1000, { seq: 5, unread: 0 }],
      ] as const) {
        await member.write('read.mark', { channelId, seq, back: true });
        expect((await member.read('read.state', {})).channels).toMatchObject([expected]);
      }
    });

    it('agrees with the log while messages and marks race on two hubs', async () => {
      const other = await database().another();
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const memberElsewhere = agentOf(other, member.agentId);
      let isDone = false;
      const sending = Promise.all(
        Array.from({ length: 150 }, () =>
          owner.say(channelId, 'x', { mentions: [member.agentId] }),
        ),
      );
      void sending.then(() => (isDone = true));
      const checks: Promise<void>[] = [];
      for (let seq = 1; !isDone; seq += 3) {
        await Promise.all([
          member.write('read.mark', { channelId, seq }),
          memberElsewhere.write('read.mark', { channelId, seq: seq + 1 }),
        ]);
        const { channels } = await memberElsewhere.read('read.state', {});
        const { seq: mark = 0, head = 0, unread, mentions } = channels[0] ?? {};
        // The messages begin at seq 3. The other agent sent all of them, and each mentions this agent.
        const expected = head - Math.max(mark, 2);
        expect({ unread, mentions }).toEqual({
          unread: Math.max(0, expected),
          mentions: Math.max(0, expected),
        });
      }
      await Promise.all(checks);
      await sending;
      await member.write('read.mark', { channelId, seq: 152 });
      const { channels } = await member.read('read.state', {});
      expect(channels).toEqual([{ channelId, seq: 152, head: 152, unread: 0, mentions: 0 }]);
    });

    it('lists every channel of the agent, its direct channels too', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store);
      const direct = await owner.write('direct.send', { agentId: member.agentId, content: 'psst' });
      const { channels } = await member.read('read.state', {});
      expect(channels).toEqual(
        [
          { channelId, seq: 0, head: 2, unread: 0, mentions: 0 },
          { channelId: direct.channelId, seq: 0, head: 1, unread: 1, mentions: 0 },
        ].sort((a, b) => (a.channelId < b.channelId ? -1 : 1)),
      );
    });
  });

  describe('access', () => {
    it('returns an agent’s access to many channels in one answer', async () => {
      const { store } = database();
      const open = await channelWithTwo(store);
      const closed = await channelWithTwo(store, 'private');
      await open.owner.write('channel.archive', { channelId: open.channelId });
      const ids = [open.channelId, closed.channelId, 'no-such-channel'];
      const untrimmed = { floor: 1, rewrites: 0 };
      expect(await store.access(open.member.agentId, ids)).toEqual(
        new Map([
          [
            open.channelId,
            { kind: 'public', head: 3, role: 'member', archived: true, ...untrimmed },
          ],
          [
            closed.channelId,
            { kind: 'private', head: 2, role: null, archived: false, ...untrimmed },
          ],
        ]),
      );
      expect((await store.access(closed.owner.agentId, ids)).get(closed.channelId)?.role).toBe(
        'owner',
      );
      expect(await store.access('anyone', [])).toEqual(new Map());
    });

    it('lists an agent’s direct channels in the order of their ids, page by page', async () => {
      const { store } = database();
      const alice = agentOf(store);
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) {
        const sent = await alice.write('direct.send', {
          agentId: agentOf(store).agentId,
          content: 'x',
        });
        ids.push(sent.channelId);
      }
      await channelWithTwo(store);
      const [first = ''] = ids;
      const { timestamp } = await alice.say(first, 'again');
      const sorted = ids.toSorted();
      const firstPage = await store.directChannels(alice.agentId, 3);
      expect(firstPage.map(({ channelId }) => channelId)).toEqual(sorted.slice(0, 3));
      const rest = await store.directChannels(alice.agentId, 3, sorted[2]);
      expect(rest.map(({ channelId }) => channelId)).toEqual(sorted.slice(3));
      const all = [...firstPage, ...rest];
      expect(all.find(({ channelId }) => channelId === first)).toMatchObject({
        ...{ head: 2, activeAt: timestamp },
      });
      expect(all.filter(({ head }) => head === 1)).toHaveLength(3);
    });
  });
}

import { describe, expect, it } from '@jest/globals';
import { agentOf, channelWithTwo, type TestDatabase } from './world.contract.ts';

export function describeLog(database: () => TestDatabase): void {
  describe('the log', () => {
    it('has no gaps and one order under 50 senders on two hubs', async () => {
      const { store } = database();
      const other = await database().another();
      const { channelId, owner } = await channelWithTwo(store);
      const senders = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const sender = agentOf(i % 2 ? other : store);
          await owner.write('member.add', { channelId, agentId: sender.agentId });
          return sender;
        }),
      );
      const sent = await Promise.all(
        senders.map(async (sender) => {
          const seqs: number[] = [];
          for (let i = 0; i < 10; i++) seqs.push((await sender.say(channelId, `${i}`)).seq);
          return seqs;
        }),
      );
      for (const seqs of sent) expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
      const log = await owner.log(channelId);
      expect(log.map((event) => event.seq)).toEqual(log.map((_event, index) => index + 1));
      const created = sent.flat().sort((a, b) => a - b);
      expect(created).toEqual(Array.from({ length: 500 }, (_, i) => 53 + i));
    });

    it('shows seq n never before n-1, to a reader on another hub', async () => {
      const other = await database().another();
      const { channelId, owner } = await channelWithTwo(database().store);
      let isDone = false;
      const writing = Promise.all(
        Array.from({ length: 200 }, (_, i) => owner.say(channelId, `${i}`)),
      );
      void writing.then(() => (isDone = true));
      let last = 0;
      while (!isDone) {
        const { events, head } = await other.logPage(channelId, 0, 1000, 1e9);
        expect(events.map((event) => event.seq)).toEqual(events.map((_event, index) => index + 1));
        expect(head).toBeGreaterThanOrEqual(last);
        last = head;
      }
      await writing;
    });

    it('takes commands in the order of their calls, messages and others mixed', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const { messageId } = await owner.say(channelId, 'root');
      const types = [
        'channel.message',
        'channel.message.edit',
        'channel.reaction.add',
        'thread.message',
      ];
      const calls = Array.from({ length: 40 }, (_, i) => [
        owner.outcome('message.send', { channelId, content: `${i}` }),
        owner.outcome('message.edit', { channelId, messageId, content: `edit ${i}` }),
        owner.outcome('reaction.add', { channelId, messageId, emoji: `e${i}` }),
        owner.outcome('message.send', { channelId, content: `${i}`, threadId: messageId }),
      ]).flat();
      const outcomes = await Promise.all(calls);
      const events = outcomes.map((outcome) => (outcome.ok ? outcome.events[0]?.event : null));
      expect(events.map((event) => event?.type)).toEqual(
        outcomes.map((_outcome, i) => types[i % 4]),
      );
      expect(events.map((event) => event?.seq)).toEqual(outcomes.map((_outcome, i) => 4 + i));
      const { messages } = await owner.history(channelId, { after: 0, limit: 1 });
      expect(messages[0]?.content).toBe('edit 39');
      expect(Object.keys(messages[0]?.reactions ?? {})).toHaveLength(40);
    });

    it('is not disturbed by a refused command in the middle of a group', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const stranger = agentOf(database().store);
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          (i % 3 === 1 ? stranger : owner).refusal('message.send', { channelId, content: `${i}` }),
        ),
      );
      expect(answers).toEqual(answers.map((_answer, i) => (i % 3 === 1 ? 'forbidden' : 'ok')));
      const { messages, head } = await owner.history(channelId);
      expect(messages.map((message) => message.content)).toEqual(
        answers.flatMap((_answer, i) => (i % 3 === 1 ? [] : [`${i}`])),
      );
      expect(head).toBe(22);
    });

    it('keeps the rest of a group when the database refuses one of its rows', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      // PostgreSQL cannot store U+0000. The protocol refuses it, but this test bypasses the protocol.
      const refuseRow = () =>
        store.append({ agentId: owner.agentId, isAdmin: false }, 'channel.update', {
          channelId,
          name: 'nul \0 in the name',
        });
      const [first, , last] = await Promise.all([
        owner.say(channelId, '1'),
        refuseRow(),
        owner.say(channelId, '2'),
      ]);
      expect(first.seq).toBe(3);
      expect([4, 5]).toContain(last.seq);
      const log = await owner.log(channelId);
      expect(log.map((event) => event.seq)).toEqual(log.map((_event, index) => index + 1));
    });

    it('is paged by members, and by bytes', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      for (let i = 0; i < 5; i++) await owner.say(channelId, 'x'.repeat(1000));
      const first = await owner.read('log.read', { channelId, after: 0, limit: 4 });
      expect(first).toMatchObject({ head: 7, hasMore: true });
      const rest = await owner.read('log.read', { channelId, after: 4, limit: 4 });
      expect(rest).toMatchObject({ head: 7, hasMore: false });
      expect([...first.events, ...rest.events].map((event) => event.seq)).toEqual([
        1, 2, 3, 4, 5, 6, 7,
      ]);
      expect(await owner.read('log.read', { channelId, after: 7 })).toEqual({
        events: [],
        head: 7,
        floor: 1,
        hasMore: false,
      });

      const short = await store.logPage(channelId, 2, 100, 3500);
      expect(short.events.map((event) => event.seq)).toEqual([3, 4]);
      const one = await store.logPage(channelId, 2, 100, 1);
      expect(one.events.map((event) => event.seq)).toEqual([3]);
      expect(await store.logPage(channelId, Number.MAX_SAFE_INTEGER, 1, 1)).toMatchObject({
        events: [],
        head: 7,
      });
      expect(await store.logPage('no-such-channel', 0, 10, 1000)).toMatchObject({
        events: [],
        head: 0,
      });
    });
  });

  describe('history', () => {
    it('pages both ways, oldest first, deleted ones and replies included', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const sent: { messageId: string; seq: number }[] = [];
      for (let i = 0; i < 7; i++) sent.push(await owner.say(channelId, `${i}`));
      const [root, gone] = sent;
      await owner.write('message.delete', { channelId, messageId: gone?.messageId ?? '' });
      sent.push(await owner.say(channelId, 'reply', { threadId: root?.messageId ?? null }));
      const seqs = sent.map((one) => one.seq);
      const page = async (params: { before?: number; after?: number; limit?: number }) => {
        const { messages, hasMore, head } = await owner.history(channelId, params);
        expect(head).toBe(11);
        return [messages.map((message) => message.seq), hasMore];
      };
      expect(await page({})).toEqual([seqs, false]);
      expect(await page({ limit: 3 })).toEqual([seqs.slice(-3), true]);
      expect(await page({ limit: 3, before: seqs[5] ?? 0 })).toEqual([seqs.slice(2, 5), true]);
      expect(await page({ limit: 3, before: seqs[2] ?? 0 })).toEqual([seqs.slice(0, 2), false]);
      expect(await page({ limit: 3, after: 0 })).toEqual([seqs.slice(0, 3), true]);
      expect(await page({ limit: 3, after: seqs[4] ?? 0 })).toEqual([seqs.slice(5), false]);
      expect(await page({ after: 11 })).toEqual([[], false]);
    });
  });
}

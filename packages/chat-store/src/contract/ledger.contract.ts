import { describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import {
  agentOf,
  channelWithTwo,
  uniqueId,
  type Agent,
  type TestDatabase,
} from './world.contract.ts';

const hourMs = 3_600_000;
const turn = { model: 'small-1', tokensIn: 900, tokensOut: 80, costMicros: 1_200, ms: 640 };
const sumsOf = (turns: number) => ({
  turns,
  tokensIn: turns * turn.tokensIn,
  tokensOut: turns * turn.tokensOut,
  costMicros: turns * turn.costMicros,
  ms: turns * turn.ms,
});
const nothing = { channelId: null, threadId: null, agentId: null, hourMs: null };

export function describeLedger(database: () => TestDatabase): void {
  const work = (agent: Agent, channelId: string, more: object = {}) =>
    agent.say(channelId, 'done', { metadata: { turn }, ...more });

  describe('the ledger', () => {
    it('sums the turns of the messages by channel, thread, agent and hour', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const { messageId: threadId } = await work(owner, channelId);
      await work(member, channelId);
      await work(member, channelId, { threadId });
      const { timestamp } = await member.say(channelId, 'plain', { metadata: { note: 1 } });
      const sum = async (by: 'channel' | 'thread' | 'agent' | 'hour', more: object = {}) =>
        (await owner.read('ledger.sum', { channelId, by, ...more })).rows;
      expect(await sum('channel')).toEqual([{ ...nothing, channelId, ...sumsOf(3) }]);
      expect(await sum('thread')).toEqual([
        { ...nothing, channelId, ...sumsOf(2) },
        { ...nothing, channelId, threadId, ...sumsOf(1) },
      ]);
      const ofAgent = (agentId: string, turns: number) => ({
        ...nothing,
        agentId,
        ...sumsOf(turns),
      });
      const byId = (one: { agentId: string }, other: { agentId: string }) =>
        one.agentId < other.agentId ? -1 : 1;
      expect(await sum('agent')).toEqual(
        [ofAgent(owner.agentId, 1), ofAgent(member.agentId, 2)].sort(byId),
      );
      const hours = await sum('hour');
      expect(hours.reduce((turns, row) => turns + row.turns, 0)).toBe(3);
      expect(hours.at(0)?.hourMs).toBeLessThanOrEqual(timestamp);
      expect((hours.at(0)?.hourMs ?? 1) % hourMs).toBe(0);
      expect(await sum('agent', { agentId: member.agentId })).toEqual([ofAgent(member.agentId, 2)]);
      // Bounds within an hour include the whole hour.
      expect(await sum('channel', { after: timestamp, before: timestamp + 1 })).toHaveLength(1);
      expect(await sum('channel', { before: timestamp - 2 * hourMs })).toEqual([]);
      expect(await sum('channel', { after: timestamp + 2 * hourMs })).toEqual([]);
    });

    // The reported failure: a sum over the history forgets what was deleted, and counts a repeated send twice.
    it('keeps what a deleted message cost, and counts a repeat once', async () => {
      const { channelId, owner } = await channelWithTwo(database().store);
      const clientMessageId = 'once';
      const { messageId } = await work(owner, channelId, { clientMessageId });
      await work(owner, channelId, { clientMessageId });
      await owner.write('message.delete', { channelId, messageId });
      // Negative control: the deletion removed the message's metadata, and with it the turn.
      const { messages } = await owner.history(channelId);
      expect(messages.map(({ metadata }) => metadata)).toEqual([null]);
      const { rows } = await owner.read('ledger.sum', { channelId, by: 'channel' });
      expect(rows).toMatchObject([sumsOf(1)]);
    });

    it('pages its rows, each once', async () => {
      const { store } = database();
      const owner = agentOf(store);
      const ids = Array.from({ length: 3 }, (_, n) => `${uniqueId('cost')}-${n}`);
      for (const channelId of ids) {
        await owner.write('channel.create', { channelId, name: 'Cost' });
        const { messageId: threadId } = await work(owner, channelId);
        await work(owner, channelId, { threadId });
      }
      for (const by of ['channel', 'thread', 'agent', 'hour'] as const) {
        const all = (await owner.read('ledger.sum', { by })).rows;
        const paged: unknown[] = [];
        let cursor: string | null = null;
        do {
          const page: Awaited<ReturnType<typeof owner.read<'ledger.sum'>>> = await owner.read(
            'ledger.sum',
            { by, limit: 1, cursor },
          );
          expect(page.rows).toHaveLength(1);
          paged.push(...page.rows);
          cursor = page.nextCursor;
        } while (cursor !== null);
        expect([by, paged]).toEqual([by, all]);
      }
      expect((await owner.read('ledger.sum', { by: 'thread' })).rows).toHaveLength(6);
    });

    it('shows the channels of the caller and of its token alone', async () => {
      const { store } = database();
      const { channelId, owner, member } = await channelWithTwo(store, 'private');
      await work(owner, channelId);
      const sum = (agent: Agent, more: object = {}) =>
        agent.readRefusal('ledger.sum', { by: 'channel', channelId, ...more });
      const outsider = agentOf(store);
      expect(await sum(outsider)).toBe('not_found');
      expect((await outsider.read('ledger.sum', { by: 'channel' })).rows).toEqual([]);
      expect((await member.read('ledger.sum', { by: 'channel' })).rows).toHaveLength(1);
      const bounded = agentOf(store, owner.agentId, { channels: ['elsewhere'] });
      expect(await sum(bounded)).toBe('forbidden');
      expect((await bounded.read('ledger.sum', { by: 'channel' })).rows).toEqual([]);
      const admin = agentOf(store, uniqueId('admin'), { isAdmin: true });
      const agentId = owner.agentId;
      expect((await admin.read('ledger.sum', { by: 'channel', agentId })).rows).toMatchObject([
        { channelId, turns: 1 },
      ]);
      await owner.write('channel.delete', { channelId });
      expect(await sum(member)).toBe('not_found');
      expect((await member.read('ledger.sum', { by: 'channel' })).rows).toEqual([]);
    });

    it('adds up what two hubs commit at once, and stays a whole number', async () => {
      const { channelId, owner, member } = await channelWithTwo(database().store);
      const there = agentOf(await database().another(), member.agentId);
      await Promise.all(
        Array.from({ length: 40 }, (_, n) => work(n % 2 === 0 ? member : there, channelId)),
      );
      const largest = { ...turn, costMicros: limits.turnFigure };
      const agentId = owner.agentId;
      await Promise.all(
        Array.from({ length: 20 }, () =>
          owner.say(channelId, 'dear', { metadata: { turn: largest } }),
        ),
      );
      const sum = async (of: string) =>
        (await owner.read('ledger.sum', { channelId, agentId: of, by: 'agent' })).rows;
      expect(await sum(member.agentId)).toMatchObject([sumsOf(40)]);
      expect(await sum(agentId)).toMatchObject([{ turns: 20, costMicros: 20 * limits.turnFigure }]);
    });
  });
}

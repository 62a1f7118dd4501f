import { describe, expect, it } from '@jest/globals';
import { methods, type ParamsInputOf, type ParamsOf, type ResultOf } from '@openclaw/protocol';
import type { ReadMethod, WriteMethod } from '../commands.ts';
import type { Retention } from '../core/retention.ts';
import type { StoreCore } from '../core/store-core.ts';
import { commandOf } from './command-of.contract.ts';
import { openBeforeAll, type OpenedDatabase } from './opened-database.contract.ts';
import { uniqueId } from './world.contract.ts';

const hourMs = 3_600_000;
const actor = { agentId: 'alice', isAdmin: false };
const none: Retention = { retentionMs: null, maxMessages: null };

export function describeRetention(engine: string, start: () => Promise<OpenedDatabase>): void {
  describe(`retention on ${engine}`, () => {
    let database: OpenedDatabase;
    let core: StoreCore;
    openBeforeAll(start, (opened) => ({ database, core } = opened));

    async function write<M extends WriteMethod>(
      method: M,
      ...many: readonly ParamsInputOf<M>[]
    ): Promise<ResultOf<M>[]> {
      const outcomes = await core.runGroup(many.map((params) => commandOf(actor, method, params)));
      return outcomes.map((outcome) => {
        if (!outcome.ok) throw new Error(`${method}: ${outcome.code}, ${outcome.message}`);
        return outcome.result as ResultOf<M>;
      });
    }
    async function refusal<M extends WriteMethod>(method: M, params: ParamsInputOf<M>) {
      const [outcome] = await core.runGroup([commandOf(actor, method, params)]);
      return outcome?.ok ? 'ok' : outcome?.code;
    }
    async function read<M extends ReadMethod>(method: M, params: ParamsInputOf<M>) {
      const parsed = methods[method].params.parse(params) as ParamsOf<M>;
      const answer = await core.read(actor, method, parsed);
      if (!answer.ok) throw new Error(`${method}: ${answer.code}, ${answer.message}`);
      return answer.result;
    }
    async function createChannel(own: Partial<ParamsInputOf<'channel.create'>> = {}) {
      const channelId = uniqueId('kept');
      await write('channel.create', { channelId, name: 'Kept', ...own });
      return channelId;
    }
    const say = (channelId: string, count: number, more: object = {}) =>
      write(
        'message.send',
        ...Array.from({ length: count }, (_, i) => ({ channelId, content: `text ${i}`, ...more })),
      );
    const age = (channelId: string, upTo: number, byMs: number) =>
      database.run(`update log set timestamp = timestamp - ${byMs}
        where channel_id = '${channelId}' and seq <= ${upTo}`);
    async function sweep(retention = none, sweepers = [core]): Promise<number> {
      database.run('update sweeps set due_at = 0');
      let pieces = 0;
      for (let isMore = true; isMore; pieces += 1) {
        const answers = await Promise.all(sweepers.map((one) => one.sweep(retention)));
        isMore = answers.some((swept) => swept.isMore);
      }
      return pieces;
    }
    const seqsOf = async (channelId: string, after = 0) =>
      (await core.logPage(channelId, after, 1000, 1e9)).events.map(({ seq }) => seq);
    const rowsOf = (table: string, channelId: string) =>
      database.count(`select count(*) from ${table} where channel_id = '${channelId}'`);

    it('ends a message that grows before it trims it', async () => {
      const channelId = await createChannel({ maxMessages: 1 });
      const [stream] = await say(channelId, 1, { stream: true });
      await say(channelId, 3);
      await sweep();
      expect((await seqsOf(channelId))[0]).toBe(stream?.seq);
      expect(await core.sweepStreams({ awayMs: null, idleMs: hourMs })).toHaveLength(1);
      const { events } = await core.logPage(channelId, 0, 100, 1e9);
      expect(events.at(-1)?.json).toContain('"state":"interrupted"');
      await sweep();
      expect(rowsOf('streams', channelId)).toBe(0);
      expect((await seqsOf(channelId))[0]).toBeGreaterThan(stream?.seq ?? 0);
    });

    it('trims the oldest events alone, and keeps seqs, floor and head', async () => {
      const channelId = await createChannel({ retentionMs: hourMs });
      const [trimmed, , , , , kept] = await say(channelId, 9);
      const refusalOfGet = async ({ messageId = '' } = {}) => {
        const answer = await core.read(actor, 'message.get', { channelId, messageId });
        return answer.ok ? 'ok' : answer.code;
      };
      expect(await refusalOfGet(trimmed)).toBe('ok');
      age(channelId, 6, 2 * hourMs);
      // Negative control: without a pass nothing is trimmed.
      expect(await core.logPage(channelId, 0, 10, 1e9)).toMatchObject({ floor: 1, head: 10 });
      await sweep();
      expect(await seqsOf(channelId)).toEqual([7, 8, 9, 10]);
      expect(await core.logPage(channelId, 8, 10, 1e9)).toMatchObject({ floor: 7, head: 10 });
      const page = await read('log.read', { channelId, after: 0, limit: 2 });
      expect(page).toMatchObject({ floor: 7, head: 10, hasMore: true });
      expect(page.events.map(({ seq }) => seq)).toEqual([7, 8]);
      expect((await core.access('alice', [channelId])).get(channelId)).toMatchObject({
        ...{ floor: 7, head: 10 },
      });
      const history = await read('message.history', { channelId });
      expect(history.messages.map(({ seq }) => seq)).toEqual([7, 8, 9, 10]);
      expect(await Promise.all([trimmed, kept].map(refusalOfGet))).toEqual(['not_found', 'ok']);
      expect(rowsOf('log', channelId)).toBe(4);
      expect(rowsOf('messages', channelId)).toBe(4);
      expect((await say(channelId, 1))[0]?.seq).toBe(11);
    });

    it('lets open asks and questions expire before they are trimmed', async () => {
      const channelId = await createChannel({ retentionMs: hourMs });
      await write('member.add', { channelId, agentId: 'bob' });
      const of = { channelId, content: 'x', to: ['bob'], deadlineMs: 24 * hourMs };
      const [first] = await say(channelId, 1);
      const [ask] = await write('ask.create', of);
      const [question] = await write('question.open', { channelId, title: 'Which?' });
      age(channelId, question?.seq ?? 0, 2 * hourMs);
      const isDue = async () => (await core.due()).filter((one) => one.channelId === channelId);
      expect(await isDue()).toEqual([]);
      await sweep();
      expect((await core.logPage(channelId, 0, 10, 1e9)).floor).toBe((first?.seq ?? 0) + 1);
      const due = await isDue();
      expect(due.map(({ id }) => id).sort()).toEqual([ask?.askId, question?.questionId].sort());
      await core.runGroup(due.map((params) => ({ method: 'expire' as const, params })));
      const names = async () =>
        (await core.logPage(channelId, 0, 10, 1e9)).events.map(
          ({ json }) => (JSON.parse(json) as { event: { name?: string } }).event.name,
        );
      expect((await names()).slice(-2).sort()).toEqual(['ask.expired', 'question.expired']);
      expect(rowsOf('asks', channelId) + rowsOf('questions', channelId)).toBe(2);
      await sweep();
      expect((await names()).sort()).toEqual(['ask.expired', 'question.expired']);
      expect(rowsOf('asks', channelId) + rowsOf('questions', channelId)).toBe(0);
      expect(database.count('select count(*) from ask_addressees')).toBe(0);
    });

    it('applies the stricter of the values of the hub and of the channel', async () => {
      const strict = await createChannel({ maxMessages: 2 });
      const lax = await createChannel({ maxMessages: 100 });
      const silent = await createChannel();
      for (const channelId of [strict, lax, silent]) await say(channelId, 6);
      await sweep({ retentionMs: null, maxMessages: 4 });
      expect(await seqsOf(strict)).toEqual([6, 7]);
      expect(await seqsOf(lax)).toEqual([4, 5, 6, 7]);
      expect(await seqsOf(silent)).toEqual([4, 5, 6, 7]);
      await say(silent, 1);
      await sweep();
      expect(await seqsOf(silent)).toEqual([4, 5, 6, 7, 8]);
      // The next pass applies the new limit. Null removes the limit.
      await write('channel.update', { channelId: lax, maxMessages: 1 });
      await write('channel.update', { channelId: strict, maxMessages: null });
      await say(strict, 3);
      await sweep();
      expect(await seqsOf(lax)).toEqual([7, 8]);
      expect(await seqsOf(strict)).toEqual([6, 7, 8, 9, 10, 11]);
      expect(await read('channel.get', { channelId: lax })).toMatchObject({
        channel: { maxMessages: 1 },
      });
      expect((await read('channel.get', { channelId: silent })).channel).not.toHaveProperty(
        'maxMessages',
      );
    });

    // A trimmed log keeps its head, so that no seq is assigned twice.
    it('empties a log without losing its head', async () => {
      const channelId = await createChannel({ retentionMs: hourMs });
      const first = { channelId, content: 'secret', clientMessageId: 'mine' };
      const [sent] = await write('message.send', first);
      const { mark } = await core.changes(null);
      age(channelId, 2, 2 * hourMs);
      await sweep();
      expect(await core.logPage(channelId, 0, 10, 1e9)).toMatchObject({
        ...{ events: [], floor: 3, head: 2 },
      });
      expect(await read('log.read', { channelId, after: 0 })).toEqual({
        ...{ events: [], floor: 3, head: 2, hasMore: false },
      });
      expect(await read('message.history', { channelId })).toMatchObject({ messages: [], head: 2 });
      expect((await core.heads([channelId])).get(channelId)).toBe(2);
      expect(
        database.count(`select count(*) from log
          where channel_id = '${channelId}' and envelope like '%secret%'`),
      ).toBe(0);
      // A clientMessageId is forgotten with its log row, so the repeat is a new message.
      const [again] = await write('message.send', first);
      expect(again).toMatchObject({ seq: 3, duplicate: false });
      expect(again?.messageId).not.toBe(sent?.messageId);
      expect((await core.changes(mark)).heads).toContainEqual({ channelId, head: 3 });
      expect(await seqsOf(channelId)).toEqual([3]);
      expect(await read('read.state', {})).toMatchObject({
        channels: expect.arrayContaining([expect.objectContaining({ channelId, head: 3 })]),
      });
      age(channelId, 3, 2 * hourMs);
      await sweep();
      expect(rowsOf('log', channelId)).toBe(1);
    });

    it('removes with a message its reactions, mentions and thread, and keeps replies until they are trimmed themselves', async () => {
      const channelId = await createChannel({ retentionMs: hourMs });
      await write('member.add', { channelId, agentId: 'bob' });
      const [root] = await say(channelId, 1, { mentions: ['bob'] });
      const messageId = root?.messageId ?? '';
      const reaction = { channelId, messageId, emoji: '👍' };
      await write('reaction.add', reaction);
      const [reply] = await say(channelId, 1, { threadId: messageId });
      const [last] = await say(channelId, 1);
      await write('thread.create', { channelId, messageId: last?.messageId ?? '' });
      age(channelId, 4, 2 * hourMs);
      await sweep();
      expect(database.count('select count(*) from reactions')).toBe(0);
      expect(rowsOf('mentions', channelId)).toBe(0);
      const { threads } = await read('thread.list', { channelId });
      expect(threads.map(({ threadId }) => threadId)).toEqual([last?.messageId]);
      const { messages } = await read('message.history', { channelId });
      expect(messages.map(({ id }) => id)).toEqual([reply?.messageId, last?.messageId]);
      const send = { channelId, content: 'x' };
      expect(await refusal('message.send', { ...send, threadId: messageId })).toBe('not_found');
      expect(await refusal('message.send', { ...send, replyTo: messageId })).toBe('not_found');
      expect(await refusal('message.edit', { channelId, messageId, content: 'x' })).toBe(
        'not_found',
      );
      expect(await refusal('message.delete', { channelId, messageId })).toBe('not_found');
      expect(await refusal('reaction.add', reaction)).toBe('not_found');
      expect(await refusal('thread.create', { channelId, messageId })).toBe('not_found');
      const ofReply = { channelId, messageId: reply?.messageId ?? '' };
      expect(await refusal('message.delete', ofReply)).toBe('ok');
    });

    it('removes sums of turns by their age alone', async () => {
      const channelId = await createChannel({ retentionMs: hourMs, maxMessages: 1 });
      const metadata = { turn: { model: 'm', tokensIn: 1, tokensOut: 1, costMicros: 1, ms: 1 } };
      await say(channelId, 3, { metadata });
      database.run(`insert into ledger
        with recursive c(n) as (select 2 union all select n + 1 from c where n < 1201)
        select channel_id, hour - n * cast(${hourMs} as bigint), thread_id, agent_id, 1, 1, 1, 1, 1
        from (select * from ledger where channel_id = '${channelId}' order by hour desc limit 1) as l, c`);
      const turns = () =>
        database.count(`select sum(turns) from ledger where channel_id = '${channelId}'`);
      expect(turns()).toBe(1_203);
      await sweep();
      expect(await seqsOf(channelId)).toEqual([4]);
      expect(turns()).toBe(3);
    });

    it('counts unread messages correctly after their numbers began again', async () => {
      const channelId = await createChannel({ retentionMs: hourMs });
      await write('member.add', { channelId, agentId: 'bob' });
      const unread = async () => {
        const state = await core.read({ ...actor, agentId: 'bob' }, 'read.state', {});
        const channels = state.ok ? state.result.channels : [];
        return channels.find((one) => one.channelId === channelId)?.unread;
      };
      await say(channelId, 5);
      age(channelId, 5, 2 * hourMs);
      await sweep();
      expect(await unread()).toBe(2);
      age(channelId, 7, 2 * hourMs);
      await sweep();
      expect(await unread()).toBe(0);
      await say(channelId, 3);
      expect(await unread()).toBe(3);
    });

    it('trims in pieces that hubs share, while others write', async () => {
      const channelId = await createChannel({ maxMessages: 10 });
      for (let sent = 0; sent < 2_000; sent += 500) await say(channelId, 500);
      const others = await Promise.all([database.open(), database.open()]);
      database.run('update sweeps set due_at = 0');
      expect(await core.sweep(none)).toMatchObject({ isMore: true, isPassDone: false });
      const left = rowsOf('log', channelId);
      expect([left < 2_001, left >= 1_501]).toEqual([true, true]);
      let isDone = false;
      const writing = (async () => {
        let written = 0;
        for (; !isDone; written += 1) await say(channelId, 1);
        return written;
      })();
      await sweep(none, [core, ...others]);
      isDone = true;
      expect(await writing).toBeGreaterThan(0);
      await sweep();
      const seqs = await seqsOf(channelId);
      expect(seqs).toHaveLength(10);
      expect(seqs).toEqual(seqs.map((_seq, index) => (seqs[0] ?? 0) + index));
      const idle = { isMore: false, trimmedEvents: 0, isPassDone: true };
      for (const one of others) expect(await one.sweep(none)).toEqual(idle);
      await Promise.all(others.map((one) => one.close()));
    }, 60_000);

    it('takes one message with a thousand reactions as one piece, and large events one by one', async () => {
      const channelId = await createChannel({ maxMessages: 1 });
      const [heavy] = await say(channelId, 1);
      database.run(`insert into reactions (message_id, emoji, agent_id, seq)
        select '${heavy?.messageId}', '👍', 'agent' || n, 1 from (
          with recursive c(n) as (select 1 union all select n + 1 from c where n < 1000)
          select n from c) as numbers`);
      await say(channelId, 100, { content: 'x'.repeat(30_000) });
      database.run('update sweeps set due_at = 0');
      const counts: number[] = [];
      const trimmed: number[] = [];
      for (let isMore = true; isMore;) {
        const swept = await core.sweep(none);
        ({ isMore } = swept);
        trimmed.push(swept.trimmedEvents);
        counts.push(rowsOf('log', channelId));
      }
      const removed = counts.map((count, i) => (counts[i - 1] ?? 102) - count).filter(Boolean);
      // The first piece deletes the join, the second the large message, and each further one at most one MiB of events.
      expect(trimmed.filter(Boolean)).toEqual(removed);
      expect(removed[0]).toBe(1);
      expect(removed[1]).toBe(1);
      expect(Math.max(...removed)).toBeLessThanOrEqual(35);
      expect(await seqsOf(channelId)).toEqual([102]);
      expect(database.count('select count(*) from reactions')).toBe(0);
    });

    // The race: a hub reads a page statement by statement while another trims.
    it('never shows a gap to a reader of the log', async () => {
      const channelId = await createChannel({ maxMessages: 5 });
      for (let sent = 0; sent < 1_500; sent += 500) await say(channelId, 500);
      const reader = await database.open();
      let isDone = false;
      const reading = (async () => {
        const floors: number[] = [];
        while (!isDone) {
          const { events, floor } = await reader.logPage(channelId, 0, 1000, 1e9);
          const seqs = events.map(({ seq }) => seq);
          expect(seqs).toEqual(seqs.map((_seq, index) => floor + index));
          floors.push(floor);
        }
        return floors;
      })();
      await sweep();
      isDone = true;
      const floors = await reading;
      expect(floors).toEqual([...floors].sort((a, b) => a - b));
      await reader.close();
    });
  });
}

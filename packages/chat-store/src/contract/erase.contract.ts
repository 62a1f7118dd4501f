import { describe, expect, it } from '@jest/globals';
import {
  envelopeSchema,
  isReservedName,
  methods,
  type ParamsInputOf,
  type ResultOf,
} from '@openclaw/protocol';
import type { Command, WriteMethod } from '../commands.ts';
import { eraseStart, type EraseCounts, type Erasure } from '../core/erase.ts';
import type { StoreCore } from '../core/store-core.ts';
import { commandOf } from './command-of.contract.ts';
import { openBeforeAll, type OpenedDatabase } from './opened-database.contract.ts';

export function describeErase(engine: string, start: () => Promise<OpenedDatabase>): void {
  describe(`the erasure of an agent on ${engine}`, () => {
    let database: OpenedDatabase;
    let core: StoreCore;
    openBeforeAll(start, (opened) => ({ database, core } = opened));

    async function write<M extends WriteMethod>(
      agentId: string,
      method: M,
      params: ParamsInputOf<M>,
      isAdmin = false,
    ): Promise<ResultOf<M>> {
      const actor = { agentId, isAdmin };
      const command = { actor, method, params: methods[method].params.parse(params) } as Command;
      const [outcome] = await core.runGroup([command]);
      if (!outcome?.ok) throw new Error(`${method}: ${outcome?.message}`);
      return outcome.result as ResultOf<M>;
    }
    async function command(agentId: string, made: object): Promise<void> {
      const [outcome] = await core.runGroup([
        { actor: { agentId, isAdmin: false }, ...made } as Command,
      ]);
      if (!outcome?.ok) throw new Error(outcome?.message);
    }
    /** Returns the events in the channel's log and the results of the reads below, as text. */
    async function allTexts(channelId: string): Promise<string> {
      const { events } = await core.logPage(channelId, 0, 1_000, 1e9);
      const actor = { agentId: 'ana', isAdmin: true };
      const reads = await Promise.all([
        core.read(actor, 'message.history', methods['message.history'].params.parse({ channelId })),
        core.read(actor, 'member.list', methods['member.list'].params.parse({ channelId })),
        core.read(actor, 'thread.list', methods['thread.list'].params.parse({ channelId })),
        core.read(actor, 'channel.get', methods['channel.get'].params.parse({ channelId })),
      ]);
      return [...events.map(({ json }) => json), JSON.stringify(reads)].join('\n');
    }
    async function erase(erasure: Erasure, onPiece = async () => {}): Promise<EraseCounts> {
      const total: Record<string, number> = {};
      for (let place = eraseStart; place.phase !== 'done';) {
        const piece = await core.eraseSome(erasure, place);
        for (const [table, count] of Object.entries(piece.counts)) {
          expect([table, count <= 100 || erasure.isDryRun]).toEqual([table, true]);
          total[table] = (total[table] ?? 0) + (count as number);
        }
        place = piece.place;
        await onPiece();
      }
      return total as unknown as EraseCounts;
    }
    async function channelOfBen(channelId: string, ben = 'ben') {
      await write('ana', 'channel.create', { channelId, name: 'Open' });
      await write('ana', 'member.add', { channelId, agentId: ben });
      const displayName = 'secret name';
      await write(ben, 'member.update', { channelId, agentId: ben, displayName });
      const metadata = { note: 'secret metadata' };
      for (let i = 0; i < 45; i += 1) {
        const content = `secret ${i}`;
        await write(ben, 'message.send', { channelId, content, metadata, mentions: ['ana'] });
      }
      const named = { channelId, content: 'secret root' };
      const { messageId } = await write(ben, 'message.send', named);
      await write(ben, 'message.edit', { channelId, messageId, content: 'secret edit' });
      await write(ben, 'thread.create', { channelId, messageId, title: 'secret title' });
      const payload = { text: 'secret payload' };
      await write(ben, 'collaboration.emit', { channelId, name: 'x', payload });
      const of = { channelId, content: 'kept by ana', mentions: [ben] };
      const kept = await write('ana', 'message.send', of);
      const reaction = { channelId, messageId: kept.messageId, emoji: '👍' };
      await write(ben, 'reaction.add', reaction);
      await write('ana', 'reaction.add', reaction);
      await write('ana', 'collaboration.emit', { channelId, name: 'x', payload: { of: 'ana' } });
    }

    it('empties its texts, names, titles, payloads and reactions, and keeps positions and ids', async () => {
      const channelId = 'open';
      await channelOfBen(channelId);
      const before = (await core.logPage(channelId, 0, 1_000, 1e9)).events;
      const access = async () => (await core.access('ana', [channelId])).get(channelId);
      expect(await access()).toMatchObject({ rewrites: 0 });
      const wanted = { agentId: 'ben', pseudonym: null };
      const counted = await erase({ ...wanted, isDryRun: true });
      expect(counted).toEqual({ messages: 46, reactions: 1, log: 3, threads: 1, members: 1 });
      // Negative control: the dry run changed nothing.
      expect(await allTexts(channelId)).toContain('secret');
      expect((await access())?.head).toBe(before.length);

      let head = before.length;
      const erased = await erase({ ...wanted, isDryRun: false }, async () => {
        await write('ana', 'message.send', { channelId, content: 'meanwhile' });
        head += 1;
      });
      expect(erased).toEqual(counted);
      expect(await allTexts(channelId)).not.toContain('secret');
      expect(database.count(`select count(*) from log where envelope like '%secret%'`)).toBe(0);
      expect((await access())?.rewrites).toBeGreaterThan(0);
      const { events } = await core.logPage(channelId, 0, 1_000, 1e9);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
      expect(events.length).toBe(head + 46 + 1);
      expect(events.slice(0, before.length).map(({ id, senderId }) => [id, senderId])).toEqual(
        before.map(({ id, senderId }) => [id, senderId]),
      );
      const texts = await allTexts(channelId);
      expect(texts).toContain('kept by ana');
      expect(texts).toContain('"payload":{"of":"ana"}');
      expect(database.count(`select count(*) from reactions where agent_id = 'ben'`)).toBe(0);
      expect(database.count(`select count(*) from reactions where agent_id = 'ana'`)).toBe(1);
      expect(database.count(`select count(*) from members where agent_id = 'ben'`)).toBe(1);
      expect(await erase({ ...wanted, isDryRun: true })).toEqual({
        ...{ messages: 0, reactions: 0, log: 0, threads: 0, members: 0 },
      });
    }, 60_000);

    it('replaces its id with a pseudonym everywhere, also in direct and archived channels', async () => {
      const [channelId, archived] = ['renamed', 'archived'];
      await channelOfBen(channelId, 'joe');
      await channelOfBen(archived, 'joe');
      await write('ana', 'channel.archive', { channelId: archived });
      const direct = await write('joe', 'direct.send', { agentId: 'ana', content: 'secret' });
      const question = { channelId, content: 'a question' };
      const { messageId: threadId } = await write('ana', 'message.send', question);
      const turn = { model: 'm', tokensIn: 1, tokensOut: 2, costMicros: 3, ms: 4 };
      const report = { channelId, content: 'done', metadata: { turn } };
      await write('joe', 'message.send', report);
      // An earlier erasure left a row of the same hour.
      database.run(`insert into ledger select channel_id, hour, thread_id, 'erased-1', 5, 0, 0, 0, 0
        from ledger where agent_id = 'joe'`);
      const freeze = { scope: 'channel', id: channelId, reason: 'a secret reason' } as const;
      await write('joe', 'freeze', freeze, true);
      await write('joe', 'unfreeze', { scope: 'channel', id: channelId }, true);
      await write('joe', 'freeze', freeze, true);
      await write('ana', 'freeze', { scope: 'agent', id: 'joe', reason: 'of ana' }, true);
      await write('joe', 'claim', { channelId, threadId, leaseMs: 60_000 });
      const { head } = (await core.access('ana', [channelId])).get(channelId) ?? {};
      expect(await core.isKnownAgent('joe')).toBe(true);
      await erase({ agentId: 'joe', pseudonym: 'erased-1', isDryRun: false });
      for (const id of [channelId, archived, direct.channelId]) {
        const texts = await allTexts(id);
        expect([id, texts.includes('"joe"'), texts.includes('joe,')]).toEqual([id, false, false]);
        expect(texts).not.toContain('secret');
        expect(texts).toContain('"erased-1"');
      }
      // The head must change, or caches would serve the old id.
      expect((await core.access('ana', [channelId])).get(channelId)?.head).toBeGreaterThan(
        head ?? 0,
      );
      for (const [table, column] of [
        ...[
          ['log', 'sender_id'],
          ['messages', 'sender_id'],
          ['members', 'agent_id'],
        ],
        ...[
          ['mentions', 'agent_id'],
          ['threads', 'created_by'],
          ['agents', 'id'],
          ['claims', 'agent_id'],
          ['ledger', 'agent_id'],
          ['freezes', 'set_by'],
        ],
      ] as const) {
        const sql = `select count(*) from ${table} where ${column} = 'joe'`;
        expect([table, database.count(sql)]).toEqual([table, 0]);
      }
      expect(database.count(`select count(*) from log where envelope like '%"joe"%'`)).toBe(0);
      const names = (await core.logPage(channelId, 0, 1_000, 1e9)).events
        .map(({ json }) => envelopeSchema.parse(JSON.parse(json)).event)
        .flatMap((event) => (event.type === 'collaboration.event' ? [event] : []))
        .filter(({ name }) => name.startsWith('freeze.'))
        .map(({ name, payload }) => [name, payload]);
      expect(names).toEqual([
        ['freeze.set', { ...freeze, reason: '' }],
        ['freeze.lifted', { ...freeze, reason: '' }],
        ['freeze.set', { ...freeze, reason: '' }],
      ]);
      expect(database.count(`select count(*) from freezes where reason like '%secret%'`)).toBe(0);
      // The freeze of the agent stays, so that the agent cannot come back.
      expect((await core.freezes()).agents).toEqual(['joe']);
      const sums = `from ledger where agent_id = 'erased-1'`;
      expect(database.count(`select sum(turns) ${sums}`)).toBe(6);
      expect(database.count(`select sum(ms) ${sums}`)).toBe(4);
    }, 60_000);

    it('empties its notes, questions and answers', async () => {
      const channelId = 'asked';
      await write('ana', 'channel.create', { channelId, name: 'Asked' });
      await write('ana', 'member.add', { channelId, agentId: 'pit' });
      const of = { channelId, content: 'kept ask', to: ['pit'], deadlineMs: 60_000 };
      const ask = await write('ana', 'ask.create', of);
      const accept = { askId: ask.askId, note: 'secret note' };
      await command('pit', { method: 'ask.accept', channelId, params: accept });
      await write('pit', 'ask.create', { ...of, to: ['ana'], content: 'secret ask' });
      const options = [{ id: 'a', label: 'secret label' }];
      await write('pit', 'question.open', {
        ...{ channelId, title: 'secret title', options, responders: ['ana', 'pit'] },
      });
      const kept = { channelId, title: 'kept title', responders: ['pit'] };
      const { questionId } = await write('ana', 'question.open', kept);
      await command('pit', {
        method: 'question.answer',
        channelId,
        params: { questionId, optionId: null, text: 'secret text' },
      });
      const unlimited = await write('ana', 'question.open', { ...kept, title: 'open' });
      await command('ana', {
        method: 'question.cancel',
        channelId,
        params: { questionId: unlimited.questionId },
      });
      await erase({ agentId: 'pit', pseudonym: 'erased-5', isDryRun: false });
      const texts = await allTexts(channelId);
      expect(texts).not.toContain('secret');
      expect(texts).not.toContain('"pit"');
      for (const text of ['kept ask', 'kept title', '"responders":["erased-5"]']) {
        expect([text, texts.includes(text)]).toEqual([text, true]);
      }
      const rows = (table: string, where: string) =>
        database.count(`select count(*) from ${table} where ${where}`);
      expect(rows('asks', `sender_id in ('pit', 'erased-5')`)).toBe(0);
      expect(rows('ask_addressees', `agent_id = 'pit' or note is not null`)).toBe(0);
      expect(rows('ask_addressees', `agent_id = 'erased-5' and state = 'accepted'`)).toBe(1);
      expect(
        rows(
          'questions',
          `opened_by = 'pit' or title like '%secret%' or options like '%secret%'
        or responders like '%"pit"%' or text is not null`,
        ),
      ).toBe(0);
      expect(rows('question_answers', `agent_id = 'pit' or text is not null`)).toBe(0);
    }, 60_000);

    it('empties the edits of messages that were trimmed', async () => {
      const channelId = 'edited';
      await write('ana', 'channel.create', { channelId, name: 'Edited', retentionMs: 3_600_000 });
      await write('ana', 'member.add', { channelId, agentId: 'eve' });
      const of = (content: string) => ({ channelId, content, metadata: { note: content } });
      const { messageId, seq } = await write('eve', 'message.send', of('secret'));
      await write('eve', 'message.edit', { channelId, messageId, content: 'secret edit' });
      const anas = await write('ana', 'message.send', of('of ana'));
      const edit = { channelId, messageId: anas.messageId, content: 'edited by ana' };
      await write('ana', 'message.edit', edit);
      database.run(`update log set timestamp = timestamp - 7200000
        where channel_id = '${channelId}' and seq <= ${seq}`);
      database.run('update sweeps set due_at = 0');
      for (let isMore = true; isMore;) ({ isMore } = await core.sweep());
      const { events, floor } = await core.logPage(channelId, 0, 100, 1e9);
      // Negative control: the message is trimmed, and its edit is not.
      expect([floor, events[0]?.json.includes('secret edit')]).toEqual([seq + 1, true]);
      const erasure = { agentId: 'eve', pseudonym: null };
      const counted = await erase({ ...erasure, isDryRun: true });
      expect(counted.log).toBe(1);
      expect((await erase({ ...erasure, isDryRun: false })).log).toBe(1);
      const rest = await core.logPage(channelId, 0, 100, 1e9);
      expect(rest.events.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      const texts = await allTexts(channelId);
      expect(texts).not.toContain('secret');
      expect(texts).toContain('edited by ana');
    }, 60_000);

    it('empties events that earlier releases let agents name like claims', async () => {
      const channelId = 'claimed';
      await write('ana', 'channel.create', { channelId, name: 'Claimed' });
      await write('ana', 'member.add', { channelId, agentId: 'lea' });
      const of = { channelId, content: 'root' };
      const { messageId: threadId } = await write('ana', 'message.send', of);
      await write('lea', 'claim', { channelId, threadId, leaseMs: 60_000 });
      for (const name of ['claim.note', 'claim.granted']) {
        const payload = { threadId: 'secret text' };
        const emitted = { channelId, name: 'x', payload };
        const { seq } = await write('lea', 'collaboration.emit', emitted);
        database.run(`update log set envelope = replace(envelope, '"name":"x"', '"name":"${name}"')
          where channel_id = '${channelId}' and seq = ${seq}`);
      }
      expect((await allTexts(channelId)).split('secret text')).toHaveLength(3);
      await erase({ agentId: 'lea', pseudonym: null, isDryRun: false });
      const texts = await allTexts(channelId);
      expect(texts).not.toContain('secret');
      expect(texts).toContain(`"payload":{"threadId":"${threadId}","agentId":"lea","fence":1`);
    }, 60_000);

    it('empties the titles that it gave to threads of others', async () => {
      const channelId = 'titled';
      await write('ana', 'channel.create', { channelId, name: 'Titled' });
      await write('ana', 'member.add', { channelId, agentId: 'kim' });
      await write('ana', 'member.update', { channelId, agentId: 'kim', role: 'owner' });
      const titled = async (content: string, title: string) => {
        const { messageId } = await write('ana', 'message.send', { channelId, content });
        await write('ana', 'thread.create', { channelId, messageId, title: `ana: ${content}` });
        await write('kim', 'thread.update', { channelId, threadId: messageId, title });
        return messageId;
      };
      await titled('one', 'secret title');
      const threadId = await titled('two', 'secret and replaced');
      await write('ana', 'thread.update', { channelId, threadId, title: 'kept title' });
      const erasure = { agentId: 'kim', pseudonym: null };
      const counted = await erase({ ...erasure, isDryRun: true });
      expect(await erase({ ...erasure, isDryRun: false })).toEqual(counted);
      const texts = await allTexts(channelId);
      expect(texts).not.toContain('secret');
      for (const kept of ['ana: one', 'ana: two', 'kept title']) expect(texts).toContain(kept);
    }, 60_000);

    // The race: an erasure was interrupted, and the agent was active again before the second run. Both the pseudonym
    // and the agent then have rows.
    it('can be repeated with the same pseudonym after the agent was active again', async () => {
      const channelId = 'repeated';
      await channelOfBen(channelId, 'max');
      const of = { channelId, content: 'kept', mentions: ['max'] };
      const repeat = { channelId, content: 'secret once', clientMessageId: 'repeat' };
      await write('max', 'message.send', repeat);
      const { messageId, seq } = await write('ana', 'message.send', of);
      await write('max', 'read.mark', { channelId, seq });
      const erasure = { agentId: 'max', pseudonym: 'erased-2', isDryRun: false };
      // The first run stops after the first piece that renamed a row.
      let place = eraseStart;
      const isRenamed = () =>
        database.count(`select count(*) from members where agent_id = 'erased-2'`) > 0;
      while (!isRenamed()) ({ place } = await core.eraseSome(erasure, place));
      expect(place.phase).toBe('rewrite');
      await write('ana', 'member.add', { channelId, agentId: 'max' });
      const sent = await write('max', 'message.send', { ...repeat, content: 'secret again' });
      await write('max', 'read.mark', { channelId, seq: sent.seq });
      const both = { ...of, mentions: ['max', 'erased-2'] };
      await write('ana', 'message.send', both);
      await write('max', 'reaction.add', { channelId, messageId, emoji: '👍' });
      await erase(erasure);
      await erase(erasure);
      const texts = await allTexts(channelId);
      expect(texts).not.toContain('secret');
      expect(texts).not.toContain('"max"');
      expect(texts).toContain('"mentions":["erased-2"]');
      for (const table of ['members', 'read_cursors']) {
        const sql = `select count(*) from ${table}
          where channel_id = '${channelId}' and agent_id in ('max', 'erased-2')`;
        expect([table, database.count(sql)]).toEqual([table, 1]);
      }
      const cursor = `select seq from read_cursors
        where channel_id = '${channelId}' and agent_id = 'erased-2'`;
      expect(database.count(cursor)).toBe(sent.seq);
      expect(database.count(`select count(*) from mentions where agent_id = 'max'`)).toBe(0);
    }, 60_000);

    it('ends while the agent writes faster than it deletes', async () => {
      const channelId = 'pursued';
      await channelOfBen(channelId, 'pat');
      const { messageId } = await write('ana', 'message.send', { channelId, content: 'kept' });
      const reaction = { channelId, messageId, emoji: '👍' };
      await write('pat', 'reaction.add', reaction);
      const actor = { agentId: 'pat', isAdmin: false };
      const send = commandOf(actor, 'message.send', { channelId, content: 'later' });
      const commands = Array.from({ length: 50 }, () => send);
      let pieces = 0;
      const erasure = { agentId: 'pat', pseudonym: null, isDryRun: false };
      const erased = await erase(erasure, async () => {
        pieces += 1;
        expect(pieces).toBeLessThan(200);
        await core.runGroup(commands);
        await write('pat', 'reaction.add', reaction);
      });
      expect(await allTexts(channelId)).not.toContain('secret');
      expect(erased.messages).toBeGreaterThanOrEqual(46);
      // Negative control: the agent wrote until the end.
      expect(await allTexts(channelId)).toContain('later');
    }, 60_000);

    it.each(['content', 'senderId', 'ask.to', 'message', 'metadata'])(
      'erases an agent named %s and nobody else',
      async (agentId) => {
        const channelId = `of-${agentId}`;
        await write('ana', 'channel.create', { channelId, name: 'Named' });
        await write('ana', 'member.add', { channelId, agentId });
        const metadata = { [agentId]: agentId, by: { [agentId]: [agentId] } };
        for (const content of ['one', `"${agentId}"`]) {
          await write('ana', 'message.send', { channelId, content, metadata });
        }
        // Names that begin with `ask.` are reserved for the hub.
        const name = isReservedName(agentId) ? `x.${agentId}` : agentId;
        await write('ana', 'collaboration.emit', { channelId, name, payload: metadata });
        const before = (await core.logPage(channelId, 0, 100, 1e9)).events;
        await write(agentId, 'message.send', { channelId, content: 'secret' });
        const of = { agentId, pseudonym: `x-${agentId}` };
        const counted = await erase({ ...of, isDryRun: true });
        // The two rows of the log are the agent's join and message.
        expect(counted).toEqual({ messages: 1, reactions: 0, log: 2, threads: 0, members: 0 });
        expect(await erase({ ...of, isDryRun: false })).toMatchObject({ messages: 1 });
        const { events } = await core.logPage(channelId, 0, 100, 1e9);
        const others = before.filter(({ json }) => !json.includes('channel.member.join'));
        expect(events.map(({ json }) => json)).toEqual(
          expect.arrayContaining(others.map(({ json }) => json)),
        );
        expect(events.map(({ json }) => json).join()).not.toContain('secret');
        expect(database.count(`select count(*) from log where sender_id = '${agentId}'`)).toBe(0);
      },
    );

    // The race: between the two walks of an erasure, a message that was sent on behalf of the agent is deleted. The
    // second walk renames the agent in the edits of this message, and the sweeper redacts these edits later.
    it('does not let the sweeper bring back a replaced id', async () => {
      const channelId = 'late';
      await write('ana', 'channel.create', { channelId, name: 'Late' });
      await write('ana', 'member.add', { channelId, agentId: 'zed' });
      const content = 'for zed';
      const actor = { agentId: 'ana', isAdmin: false, onBehalfOf: 'zed' };
      const [sent] = await core.runGroup([
        commandOf(actor, 'message.send', { channelId, content }),
      ]);
      const { messageId } = (sent?.ok ? sent.result : {}) as ResultOf<'message.send'>;
      await write('ana', 'message.edit', { channelId, messageId, content: 'edited' });
      const erasure = { agentId: 'zed', pseudonym: 'erased-z', isDryRun: false };
      let place = eraseStart;
      while (place.phase !== 'rewrite') ({ place } = await core.eraseSome(erasure, place));
      await write('ana', 'message.delete', { channelId, messageId });
      while (place.phase !== 'done') ({ place } = await core.eraseSome(erasure, place));
      // Negative control: the edits are not redacted yet.
      const redacting = `select count(*) from redactions where channel_id = '${channelId}'`;
      expect(database.count(redacting)).toBe(1);
      while (database.count(redacting) > 0) await core.sweep();
      const left = `select count(*) from log where channel_id = '${channelId}'
        and envelope like '%"zed"%'`;
      expect(database.count(left)).toBe(0);
      expect(await allTexts(channelId)).toContain('"erased-z"');
    });
  });
}

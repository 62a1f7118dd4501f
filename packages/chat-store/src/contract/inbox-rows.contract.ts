import { describe, expect, it } from '@jest/globals';
import { limits, methods, type ParamsInputOf } from '@openclaw/protocol';
import { decodeInboxCursor, encodeInboxCursor } from '@openclaw/protocol/wire';
import { waitFor } from '@openclaw/test-support';
import type { WriteMethod } from '../commands.ts';
import type { StoreCore } from '../core/store-core.ts';
import { commandOf } from './command-of.contract.ts';
import { openBeforeAll, type OpenedDatabase } from './opened-database.contract.ts';
import { uniqueId } from './world.contract.ts';

/** Writes in a transaction that stays open until the returned function commits it. */
export type WriteLate = (url: string, sql: string) => Promise<() => Promise<void>>;

/** `writeLate` is absent on SQLite, which has one writer at a time. */
export function describeInboxRows(
  engine: string,
  start: () => Promise<OpenedDatabase>,
  writeLate?: WriteLate,
): void {
  describe(`the rows of inboxes on ${engine}`, () => {
    let database: OpenedDatabase;
    let core: StoreCore;
    openBeforeAll(start, (opened) => ({ database, core } = opened));

    async function write<M extends WriteMethod>(agentId: string, method: M, params: object) {
      const command = commandOf({ agentId, isAdmin: false }, method, params as ParamsInputOf<M>);
      const [outcome] = await core.runGroup([command]);
      if (!outcome?.ok) throw new Error(`${method}: ${outcome?.message}`);
      return outcome.result;
    }
    async function read(agentId: string, params: ParamsInputOf<'inbox.read'> = {}) {
      const parsed = methods['inbox.read'].params.parse(params);
      const answer = await core.read({ agentId, isAdmin: false }, 'inbox.read', parsed);
      if (!answer.ok) throw new Error(answer.message);
      const { items, ...rest } = answer.result;
      return { ...rest, items, texts: items.map(({ message }) => message?.content) };
    }
    async function world() {
      const [owner, reader, channelId] = [uniqueId('owner'), uniqueId('reader'), uniqueId('c')];
      await write(owner, 'channel.create', { channelId, name: 'C' });
      await write(owner, 'member.add', { channelId, agentId: reader });
      const call = (content: string, more: object = {}) =>
        write(owner, 'message.send', { channelId, content, mentions: [reader], ...more });
      return { owner, reader, channelId, call };
    }
    const rowsOf = (agentId: string) =>
      database.count(`select count(*) from inbox where agent_id = '${agentId}'`);
    async function sweep(): Promise<void> {
      database.run(`update sweeps set due_at = 0`);
      for (let isMore = true; isMore;) ({ isMore } = await core.sweep());
    }

    // The fault: a pass that found no further inbox never ended, so each hub with empty inboxes swept without a pause.
    it.each([0, 100])('are swept in a pass that ends, also for %s inboxes', async (count) => {
      database.run(`insert into inbox (agent_id, channel_id, seq, message_seq, reason)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})
        select 'a' || i, 'none', 1, 1, 'mention' from n where i <= ${count}`);
      database.run(`update sweeps set due_at = 0`);
      const answers: boolean[] = [];
      while (answers.length < 10) answers.push((await core.sweep()).isMore);
      expect(answers.at(-1)).toBe(false);
      database.run(`delete from inbox where channel_id = 'none'`);
    });

    it('fall out beyond the limit, the oldest first, and are counted until acknowledged', async () => {
      const { reader, channelId, call } = await world();
      await call('old');
      const { cursor } = await read(reader);
      const extra = 1_200;
      database.run(`insert into inbox (agent_id, channel_id, seq, message_seq, reason)
        with recursive n(i) as (select 1 union all select i + 1 from n
          where i < ${limits.inboxItems + extra - 2})
        select agent_id, channel_id, seq, message_seq, reason from inbox, n
        where agent_id = '${reader}'`);
      await call('new');
      const omitted = { count: extra, channels: [{ channelId, count: extra }] };
      const newest = { maxChars: 1_000, limit: 1 };
      // Reads apply the limit even before the sweep removes rows.
      const full = { count: extra + limits.inboxItems - 1 };
      expect(await read(reader, { limit: 1 })).toMatchObject({ omitted, hasMore: true });
      expect(await read(reader, newest)).toMatchObject({ texts: ['new'], omitted: full });
      await sweep();
      expect(rowsOf(reader)).toBe(limits.inboxItems);
      expect(await read(reader, { limit: 1 })).toMatchObject({ omitted });
      const page = await read(reader, newest);
      expect(page).toMatchObject({ texts: ['new'], omitted: full });
      // Negative control: the acknowledgement of an older cursor does not change which items are omitted.
      await write(reader, 'inbox.ack', { cursor });
      expect(await read(reader, newest)).toMatchObject({ omitted: full });
      await write(reader, 'inbox.ack', { cursor: page.cursor });
      expect(await read(reader)).toMatchObject({ items: [], omitted: { count: 0 } });
      expect(rowsOf(reader)).toBe(0);
      expect(database.count(`select count(*) from inbox_overflow`)).toBe(0);
    });

    // The fault: messages to everyone never fell out of an inbox. Each read walked all of these messages, and none of
    // them was ever removed.
    it('of everyone fall out beyond the limit too, and are removed when no member needs them', async () => {
      const { owner, reader, channelId, call } = await world();
      await call('old');
      const { seq } = (await write(owner, 'message.send', {
        ...{ channelId, content: '@all', parseMentions: true },
      })) as { seq: number };
      const [inAll, extra] = [limits.inboxItems, 250];
      const copies = (table: string, columns: string, values: string) =>
        database.run(`insert into ${table} (channel_id, seq, ${columns})
          with recursive n(i) as (select 1 union all select i + 1 from n where i < ${inAll + extra - 1})
          select channel_id, seq + i, ${values} from ${table}, n
          where channel_id = '${channelId}' and seq = ${seq}`);
      copies(
        'log',
        'id, type, sender_id, timestamp, envelope',
        `id || '-' || i, type, sender_id, timestamp, envelope`,
      );
      copies(
        'messages',
        'id, sender_id, text_seq, ordinal, sender_ordinal',
        `id || '-' || i, sender_id, seq + i, ordinal + i, sender_ordinal + i`,
      );
      copies('inbox', 'agent_id, message_seq, reason', 'agent_id, seq + i, reason');
      await call('new');
      const ofAll = `select count(*) from inbox where channel_id = '${channelId}' and agent_id = '@all'`;
      expect(database.count(ofAll)).toBe(inAll + extra);
      const count = extra + 2;
      const omitted = { count, channels: [{ channelId, count }] };
      expect(await read(reader, { limit: 1 })).toMatchObject({ texts: ['@all'], omitted });
      await sweep();
      expect(database.count(ofAll)).toBe(inAll);
      expect(await read(reader, { limit: 1 })).toMatchObject({ texts: ['@all'], omitted });
      const newest = { maxChars: 1_000, limit: 1 };
      const page = await read(reader, newest);
      expect(page).toMatchObject({ texts: ['new'], omitted: { count: inAll + extra + 1 } });
      await write(reader, 'inbox.ack', { cursor: page.cursor });
      expect(await read(reader)).toMatchObject({ items: [], omitted: { count: 0 } });
      // Negative control: the owner has acknowledged nothing, so nothing more is removed.
      await sweep();
      expect(database.count(ofAll)).toBe(inAll);
      database.run(`update members set inbox_seq = 1000000 where channel_id = '${channelId}'`);
      await sweep();
      // Every member has acknowledged later messages, so the messages that are left cost readers nothing.
      expect(database.count(ofAll)).toBeLessThanOrEqual(1_000);
      expect(database.count(`select count(*) from inbox_overflow`)).toBe(0);
    });

    // The fault: a message to everyone woke nobody when twenty messages to everyone followed in other channels.
    it('change the mark of an inbox, however many messages to everyone follow in other channels', async () => {
      const { owner, reader, channelId } = await world();
      const far = await world();
      const callAll = async (agentId: string, id: string, times = 1) => {
        const params = { channelId: id, content: '@all', parseMentions: true };
        for (let n = 0; n < times; n += 1) await write(agentId, 'message.send', params);
      };
      await callAll(far.owner, far.channelId);
      const { newestOfAll } = await core.inboxMarks([reader], 0);
      const mark = async () => (await core.inboxMarks([reader], newestOfAll)).marks.get(reader);
      const marks = [await mark()];
      await callAll(far.owner, far.channelId, 60);
      marks.push(await mark());
      await callAll(owner, channelId);
      await callAll(far.owner, far.channelId, 60);
      marks.push(await mark());
      expect(new Set(marks.slice(1)).size).toBe(2);
      // Negative control: messages that reach only other agents do not change the mark.
      await callAll(far.owner, far.channelId, 60);
      expect(await mark()).toBe(marks.at(-1));
    });

    // The fault: the mark was the sum of the places of the newest items. A new item whose place was the sum of the
    // places of two earlier items left the mark unchanged.
    it('change the mark of an inbox, also when places add up to the same sum', async () => {
      const { owner, reader, channelId } = await world();
      const { newestOfAll } = await core.inboxMarks([reader], 0);
      for (const content of ['@all one', '@all two'])
        await write(owner, 'message.send', { channelId, content, parseMentions: true });
      const earlier = await core.inboxMarks([reader], newestOfAll);
      const ofAll = `agent_id = '@all' and channel_id = '${channelId}'`;
      database.run(`insert into inbox (id, agent_id, channel_id, seq, message_seq, reason)
        select sum(id), '@all', '${channelId}', 1000, 1000, 'mention' from inbox where ${ofAll}`);
      const later = await core.inboxMarks([reader], earlier.newestOfAll);
      expect(later.marks.get(reader)).not.toBe(earlier.marks.get(reader));
      database.run(`delete from inbox where ${ofAll}`);
    });

    // The fault: an ask without an open addressee stayed due. Every hub logged its expiry twice a second, without end.
    it('get no expiry of an ask that has lost its last open addressee', async () => {
      const { owner, reader, channelId } = await world();
      const ask = { channelId, to: [reader], content: 'x', deadlineMs: 60_000 };
      const { askId } = (await write(owner, 'ask.create', ask)) as { askId: string };
      database.run(`delete from ask_addressees where ask_id = '${askId}'`);
      database.run(`update asks set due_at = 1 where id = '${askId}'`);
      const due = await core.due();
      expect(due.map(({ id }) => id)).toEqual([askId]);
      const [outcome] = await core.runGroup(due.map((params) => ({ method: 'expire', params })));
      expect(outcome).toMatchObject({ ok: true, events: [] });
      expect(await core.due()).toEqual([]);
    });

    it('go with the trimmed log, with their channel, and with an erased agent', async () => {
      const { owner, reader, channelId, call } = await world();
      await call('one');
      await call('two @all', { parseMentions: true });
      database.run(`update sweeps set due_at = 0`);
      for (let isMore = true; isMore;)
        ({ isMore } = await core.sweep({ retentionMs: null, maxMessages: 1 }));
      expect(await read(reader)).toMatchObject({ texts: ['two @all'] });
      expect(rowsOf(reader)).toBe(1);
      await write(owner, 'channel.delete', { channelId });
      expect((await read(reader)).items).toEqual([]);
      database.run(`update channels set deleted_at = 1 where id = '${channelId}'`);
      await sweep();
      const left = `select count(*) from inbox where channel_id = '${channelId}'`;
      expect(database.count(left)).toBe(0);

      const next = await world();
      await next.call('three');
      let place = { phase: 'delete' as string, channelId: '', seq: 0, untilSeq: 0 };
      const erasure = { agentId: next.reader, pseudonym: uniqueId('gone'), isDryRun: false };
      while (place.phase !== 'done')
        ({ place } = await core.eraseSome(erasure, place as Parameters<typeof core.eraseSome>[1]));
      expect(rowsOf(next.reader)).toBe(0);
    });

    if (!writeLate) return;
    it('that become visible late come with the next read, whatever was acknowledged', async () => {
      const { owner, reader, call } = await world();
      const other = uniqueId('c');
      await write(owner, 'channel.create', { channelId: other, name: 'Other' });
      await write(owner, 'member.add', { channelId: other, agentId: reader });
      const { seq } = (await write(owner, 'message.send', {
        ...{ channelId: other, content: 'late' },
      })) as { seq: number };
      // A slow hub has numbered its item, but has not committed it yet.
      const late = (agentId: string) =>
        writeLate(
          database.url,
          `insert into inbox (agent_id, channel_id, seq, message_seq, reason)
            values ('${agentId}', '${other}', ${seq}, ${seq}, 'mention')`,
        );
      const commit = await late(reader);
      await call('early');
      const page = await read(reader);
      expect(page.texts).toEqual(['early']);
      await commit();
      const following = await read(reader, { after: page.cursor });
      expect(following).toMatchObject({ texts: ['late'] });
      // The fault: the cursor of the late item did not cover the items that the earlier read had shown.
      expect((await read(reader, { after: following.cursor })).texts).toEqual([]);
      const shortened = await read(reader, { after: page.cursor, maxChars: 1_000 });
      expect((await read(reader, { after: shortened.cursor })).texts).toEqual([]);
      await write(reader, 'inbox.ack', { cursor: page.cursor });
      const next = await read(reader);
      expect(next.texts).toEqual(['late']);
      await write(reader, 'inbox.ack', { cursor: next.cursor });
      expect(rowsOf(reader)).toBe(0);

      // Negative control: a cursor that holds only the place acknowledges the late item before any read shows it.
      const commitAgain = await late(reader);
      await call('early again');
      const { cursor } = await read(reader);
      await commitAgain();
      const at = decodeInboxCursor(cursor)!;
      expect(at.open.length).toBeGreaterThan(0);
      await write(reader, 'inbox.ack', {
        cursor: encodeInboxCursor({ ...at, next: Number.MAX_SAFE_INTEGER, open: [] }),
      });
      expect((await read(reader)).items).toEqual([]);
    });

    // The race: an agent acknowledges at two hubs. The write of the earlier cursor waits for the lock of the member's
    // row, so it takes effect last.
    it('of everyone stay acknowledged when an earlier cursor is acknowledged at the same time', async () => {
      const { owner, reader, channelId } = await world();
      const callAll = (content: string) =>
        write(owner, 'message.send', { channelId, content, parseMentions: true });
      await callAll('@all one');
      const { cursor } = await read(reader);
      await callAll('@all two');
      const commit = await writeLate(
        database.url,
        `update members set inbox_seq = 1000 where channel_id = '${channelId}' and agent_id = '${reader}'`,
      );
      const acknowledged = write(reader, 'inbox.ack', { cursor });
      await waitFor(() => database.count('select count(*) from pg_locks where not granted') > 0, {
        what: 'the acknowledgement to wait',
      });
      await commit();
      await acknowledged;
      expect((await read(reader)).texts).toEqual([]);
    });
  });
}

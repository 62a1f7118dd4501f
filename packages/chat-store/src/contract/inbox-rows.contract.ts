import { describe, expect, it } from '@jest/globals';
import { limits, methods, type ParamsInputOf } from '@openclaw/protocol';
import { decodeInboxCursor, encodeInboxCursor } from '@openclaw/protocol/wire';
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
      // Readers see the limit before the sweep removes anything.
      const full = { count: extra + limits.inboxItems - 1 };
      expect(await read(reader, { limit: 1 })).toMatchObject({ omitted, hasMore: true });
      expect(await read(reader, newest)).toMatchObject({ texts: ['new'], omitted: full });
      await sweep();
      expect(rowsOf(reader)).toBe(limits.inboxItems);
      expect(await read(reader, { limit: 1 })).toMatchObject({ omitted });
      const page = await read(reader, newest);
      expect(page).toMatchObject({ texts: ['new'], omitted: full });
      // Negative control: an older cursor covers no item that fell out and no item that waits.
      await write(reader, 'inbox.ack', { cursor });
      expect(await read(reader, newest)).toMatchObject({ omitted: full });
      await write(reader, 'inbox.ack', { cursor: page.cursor });
      expect(await read(reader)).toMatchObject({ items: [], omitted: { count: 0 } });
      expect(rowsOf(reader)).toBe(0);
      expect(database.count(`select count(*) from inbox_overflow`)).toBe(0);
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
      expect(await read(reader, { after: page.cursor })).toMatchObject({ texts: ['late'] });
      await write(reader, 'inbox.ack', { cursor: page.cursor });
      const next = await read(reader);
      expect(next.texts).toEqual(['late']);
      await write(reader, 'inbox.ack', { cursor: next.cursor });
      expect(rowsOf(reader)).toBe(0);

      // Negative control: a cursor with the place alone would acknowledge the item before any read shows it.
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
  });
}

import { describe, expect, it } from '@jest/globals';
import { envelopeSchema, methods } from '@openclaw/protocol';
import { sql, type Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Dialect } from '../core/engine.ts';
import { createMigrations } from '../core/migrations.ts';
import type { StoreCore } from '../core/store-core.ts';
import { commandOf } from './command-of.contract.ts';

export interface EmptyDatabase {
  readonly db: Kysely<unknown>;
  open(): Promise<StoreCore>;
  stop(): Promise<void>;
}

async function migrateTo(db: Kysely<unknown>, dialect: Dialect, name: string): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => createMigrations(dialect) },
    migrationTableName: 'chat_store_migrations',
    migrationLockTableName: 'chat_store_migrations_lock',
  });
  const { error } = await migrator.migrateTo(name);
  if (error !== undefined) throw error as Error;
}

export function describeUpgrade(dialect: Dialect, start: () => Promise<EmptyDatabase>): void {
  describe(`a ${dialect} database of an earlier release`, () => {
    it('no longer counts deleted replies', async () => {
      const database = await start();
      const { db } = database;
      await migrateTo(db, dialect, '0002_hubs_cut_off');
      await sql`insert into channels (id, kind, name, created_by, created_at, head, touched)
        values ('c', 'public', 'C', 'alice', 1, 9, 1)`.execute(db);
      await sql`insert into members (channel_id, agent_id, role, joined_at)
        values ('c', 'alice', 'owner', 1)`.execute(db);
      await sql`insert into messages
          (channel_id, seq, id, sender_id, thread_id, text_seq, deleted_at) values
        ('c', 2, 'root', 'alice', null, 2, null), ('c', 3, 'other', 'alice', null, 3, 50),
        ('c', 4, 'kept', 'alice', 'root', 4, null), ('c', 5, 'gone', 'alice', 'root', 5, 60),
        ('c', 6, 'gone too', 'alice', 'root', 6, 70), ('c', 7, 'x', 'alice', 'other', 7, null),
        ('c', 8, 'y', 'alice', 'empty', 8, 80)`.execute(db);
      await sql`insert into threads
          (channel_id, thread_id, title, created_by, created_at, replies, announced) values
        ('c', 'empty', null, 'alice', 1, 1, 0), ('c', 'none', 'T', 'alice', 1, 0, 1),
        ('c', 'other', null, 'alice', 1, 1, 0), ('c', 'root', null, 'alice', 1, 3, 0)`.execute(db);
      const core = await database.open();
      const answer = await core.read(
        { agentId: 'alice', isAdmin: false },
        'thread.list',
        methods['thread.list'].params.parse({ channelId: 'c' }),
      );
      const threads = answer.ok ? answer.result.threads : [];
      expect(Object.fromEntries(threads.map((one) => [one.threadId, one.replies]))).toEqual({
        empty: 0,
        none: 0,
        other: 1,
        root: 1,
      });
      await core.close();
      await database.stop();
    }, 60_000);

    it('returns old events with the current fields, and knows the members', async () => {
      const database = await start();
      const { db } = database;
      await migrateTo(db, dialect, '0005_redactions');
      await sql`insert into channels (id, kind, name, created_by, created_at)
        values ('c', 'public', 'C', 'alice', 1)`.execute(db);
      await sql`insert into members (channel_id, agent_id, role, joined_at)
        values ('c', 'alice', 'owner', 1)`.execute(db);
      const old = { id: 'm', channelId: 'c', seq: 2, senderId: 'alice', content: '"senderKind":' };
      const rest = { timestamp: 1, threadId: null, mentions: [], metadata: { senderKind: 'x' } };
      const message = { ...old, ...rest, editedAt: null, deletedAt: null, reactions: {} };
      const joined = { channelId: 'c', agentId: 'alice', role: 'owner', displayName: null };
      const edit = { ...message, content: 'secret', editedAt: 2 };
      for (const [index, event] of [
        { type: 'channel.member.join', channelId: 'c', member: { ...joined, joinedAt: 1 } },
        { type: 'channel.message', channelId: 'c', message },
        { type: 'channel.message.edit', channelId: 'c', message: edit },
      ].entries()) {
        const seq = index + 1;
        const envelope = {
          id: `e${seq}`,
          event,
          timestamp: 1,
          senderId: 'alice',
          channelId: 'c',
          seq,
        };
        await sql`insert into log
            (channel_id, seq, id, type, sender_id, timestamp, message_id, envelope) values
          ('c', ${seq}, ${`e${seq}`}, ${event.type}, 'alice', 1, ${index > 0 ? 'm' : null},
            ${JSON.stringify(envelope).slice(0, -1)})`.execute(db);
      }
      await sql`insert into messages (channel_id, seq, id, sender_id, text_seq, ordinal, sender_ordinal)
        values ('c', 2, 'm', 'alice', 3, 1, 1)`.execute(db);

      const core = await database.open();
      const alice = { agentId: 'alice', isAdmin: false, kind: 'person' as const };
      const eventsOf = async () =>
        (await core.logPage('c', 0, 10, 1e6)).events.map(({ json }) =>
          envelopeSchema.parse(JSON.parse(json)),
        );
      const events = await eventsOf();
      expect(events.map(({ senderKind }) => senderKind)).toEqual([null, null, null]);
      const present = { ...message, senderKind: null, state: 'complete' };
      expect(events.map(({ event }) => event)).toMatchObject([
        { member: { ...joined, kind: null } },
        { message: present },
        { message: { ...present, content: 'secret', editedAt: 2 } },
      ]);
      const page = methods['message.history'].params.parse({ channelId: 'c' });
      expect(await core.read(alice, 'message.history', page)).toMatchObject({
        result: { messages: [{ ...present, content: 'secret', editedAt: 2 }] },
      });
      const list = methods['member.list'].params.parse({ channelId: 'c' });
      expect(await core.read(alice, 'member.list', list)).toMatchObject({
        result: { members: [{ agentId: 'alice', kind: null }] },
      });
      const send = { channelId: 'c', content: 'x', replyTo: 'm' };
      const deletion = { channelId: 'c', messageId: 'm' };
      expect(
        await core.runGroup([
          commandOf(alice, 'message.send', send),
          commandOf(alice, 'message.delete', deletion),
        ]),
      ).toMatchObject([{ ok: true }, { ok: true }]);
      const { deletedAt: _kept, editedAt: _edited, ...staying } = present;
      const emptied = { ...staying, content: '', metadata: null };
      expect((await eventsOf()).map(({ event }) => event)).toMatchObject([
        {},
        { message: emptied },
        { message: { ...emptied, editedAt: 1 } },
        { message: { senderKind: 'person', origin: { cause: ['m'] } } },
        { message: { ...emptied, editedAt: 2 } },
      ]);
      const { rows } = await sql<{ id: string }>`select id from agents`.execute(db);
      expect(rows).toEqual([{ id: 'alice' }]);
      await core.close();
      await database.stop();
    }, 60_000);
  });
}

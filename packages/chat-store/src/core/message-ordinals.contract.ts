import { describe, expect, it } from '@jest/globals';
import { sql, type Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { agentOf } from '../contract/world.contract.ts';
import { createChatStore } from '../index.ts';
import type { Dialect } from './engine.ts';
import { createMigrations } from './migrations.ts';
import type { Tables } from './tables.ts';

export interface EmptyDatabase {
  readonly url: string;
  readonly db: Kysely<Tables>;
  close(): Promise<void>;
}

export function describeMessageOrdinals(
  dialect: Dialect,
  start: () => Promise<EmptyDatabase>,
): void {
  describe(`messages of an earlier release, on ${dialect}`, () => {
    it('are numbered, and unread counts are correct from then on', async () => {
      const database = await start();
      const { url, db } = database;
      const all = Object.entries(createMigrations(dialect));
      const before = Object.fromEntries(all.filter(([name]) => name < '0003'));
      const { error } = await new Migrator({
        ...{ db, provider: { getMigrations: async () => before } },
        migrationTableName: 'chat_store_migrations',
        migrationLockTableName: 'chat_store_migrations_lock',
      }).migrateToLatest();
      expect(error).toBeUndefined();
      // Three messages of ana, two of ben and a deleted one, with other events in between.
      const seqs = [3, 4, 6, 9, 10, 12];
      for (const channelId of ['old', 'other']) {
        await sql`insert into channels (id, kind, name, created_by, created_at, head, touched)
          values (${channelId}, 'public', 'Old', 'ana', 1, 12, 1)`.execute(db);
        for (const agentId of ['ana', 'ben']) {
          await sql`insert into members (channel_id, agent_id, role, joined_at)
            values (${channelId}, ${agentId}, 'owner', 1)`.execute(db);
        }
        for (const [index, seq] of seqs.entries()) {
          await sql`insert into messages (channel_id, seq, id, sender_id, text_seq, deleted_at)
            values (${channelId}, ${seq}, ${`${channelId}-${seq}`},
              ${index % 3 === 2 ? 'ben' : 'ana'}, ${seq}, ${seq === 4 ? 5 : null})`.execute(db);
        }
        // The head is the seq of the log's last row.
        await sql`insert into log (channel_id, seq, id, type, sender_id, timestamp, envelope)
          values (${channelId}, 12, ${`${channelId}-12`}, 'channel.message', 'ben', 1, '{}')`.execute(
          db,
        );
      }
      await sql`insert into read_cursors (agent_id, channel_id, seq) values ('ben', 'other', 4)`.execute(
        db,
      );

      const store = await createChatStore({ url });
      const [ana, ben] = [agentOf(store, 'ana'), agentOf(store, 'ben')];
      const counts = async (agent: typeof ana) =>
        (await agent.read('read.state', {})).channels.map(({ seq, unread }) => ({ seq, unread }));
      expect(await counts(ana)).toEqual([
        { seq: 0, unread: 2 },
        { seq: 0, unread: 2 },
      ]);
      expect(await counts(ben)).toEqual([
        { seq: 0, unread: 3 },
        { seq: 4, unread: 2 },
      ]);
      await Promise.all([ana.say('old', 'a'), ben.say('old', 'b'), ana.say('old', 'c')]);
      const { rows } = await sql<{ n: string }>`
        select sender_id || ' ' || ordinal || ' ' || sender_ordinal as n from messages
        where channel_id = 'old' order by seq`.execute(db);
      expect(rows.map(({ n }) => n)).toEqual(
        // prettier-ignore
        ['ana 1 1', 'ana 2 2', 'ben 3 1', 'ana 4 3', 'ana 5 4', 'ben 6 2', 'ana 7 5', 'ben 8 3', 'ana 9 6'],
      );
      expect((await counts(ben))[0]).toEqual({ seq: 0, unread: 5 });
      await store.close();
      await database.close();
    });
  });
}

import { expect, it } from '@jest/globals';
import { sql, type Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { agentOf } from '../contract/world.contract.ts';
import type { ChatStore } from '../index.ts';
import type { Dialect } from './engine.ts';
import { createMigrations } from './migrations.ts';

export interface EmptyDatabase {
  readonly dialect: Dialect;
  readonly connect: () => Kysely<unknown>;
  readonly open: () => Promise<ChatStore>;
}

export function describeMigrations(database: () => EmptyDatabase): void {
  it('takes over the heads of the releases that kept them in the channel', async () => {
    const { dialect, connect, open } = database();
    const db = connect();
    const migrations = createMigrations(dialect);
    const migrator = new Migrator({
      ...{ db, provider: { getMigrations: async () => migrations } },
      migrationTableName: 'chat_store_migrations',
      migrationLockTableName: 'chat_store_migrations_lock',
    });
    const { error } = await migrator.migrateTo('0002_hubs_cut_off');
    expect(error).toBeUndefined();
    for (const [id, head, touched] of [
      ['busy', 3, 2],
      ['quiet', 1, 1],
      ['restored', 2, 0],
    ] as const) {
      await sql`insert into channels (id, kind, name, created_by, created_at, head, touched)
        values (${id}, 'public', ${id}, 'alice', 0, ${head}, ${touched})`.execute(db);
      await sql`insert into members (channel_id, agent_id, role, joined_at)
        values (${id}, 'alice', 'owner', 0)`.execute(db);
      for (let seq = 1; seq <= head; seq++) {
        await sql`insert into log (channel_id, seq, id, type, sender_id, timestamp, envelope)
          values (${id}, ${seq}, ${`${id}-${seq}`}, 'channel.message', 'alice', 0, '{}')`.execute(
          db,
        );
      }
    }
    await db.destroy();

    const store = await open();
    try {
      const alice = agentOf(store, 'alice');
      expect(await store.heads(['busy', 'quiet', 'restored'])).toEqual(
        new Map([
          ['busy', 3],
          ['quiet', 1],
          ['restored', 2],
        ]),
      );
      expect([...(await store.recentHeads(10)).keys()]).toEqual(['busy', 'quiet']);
      const { mark } = await store.changes(null);
      expect((await alice.say('busy', 'next')).seq).toBe(4);
      expect((await alice.say('restored', 'next')).seq).toBe(3);
      const { heads } = await store.changes(mark);
      expect(new Map(heads.map(({ channelId, head }) => [channelId, head]))).toEqual(
        new Map([
          ['busy', 4],
          ['restored', 3],
        ]),
      );
      const { channel } = await alice.read('channel.get', { channelId: 'quiet' });
      expect(channel.head).toBe(1);
    } finally {
      await store.close();
    }
  });
}

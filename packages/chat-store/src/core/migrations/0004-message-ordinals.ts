import { sql, type Kysely } from 'kysely';
import { runAll } from './statements.ts';

/**
 * Numbers the messages of a channel and of each sender, a few channels at a time, so that no statement exceeds its
 * timeout. A million messages took 3 s on SQLite and 16 s on PostgreSQL.
 */
export async function addMessageOrdinals(db: Kysely<unknown>): Promise<void> {
  await runAll(db, [
    sql`alter table messages add column ordinal bigint not null default 0`,
    sql`alter table messages add column sender_ordinal bigint not null default 0`,
  ]);
  for (let after = ''; ;) {
    const { rows } = await sql<{ id: string }>`
      select id from channels where id > ${after} order by id limit 200`.execute(db);
    const last = rows.at(-1)?.id;
    if (last === undefined) break;
    await sql`update messages set ordinal = n.ordinal, sender_ordinal = n.sender_ordinal
      from (select channel_id, seq,
          row_number() over (partition by channel_id order by seq) as ordinal,
          row_number() over (partition by channel_id, sender_id order by seq) as sender_ordinal
        from messages where channel_id > ${after} and channel_id <= ${last}) as n
      where n.channel_id = messages.channel_id and n.seq = messages.seq`.execute(db);
    after = last;
  }
  await runAll(db, [
    // The index ends with the ordinal. If it ended with the seq, a planner might prefer the primary key.
    sql`create index messages_by_sender on messages (channel_id, sender_id, ordinal)`,
    sql`create index messages_deleted on messages (channel_id, ordinal, sender_id, deleted_at)
      where deleted_at is not null`,
  ]);
}

import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { columnsOf, runAll } from './statements.ts';

export async function addRedactions(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { id } = columnsOf(dialect);
  await runAll(db, [
    sql`create table redactions (
      channel_id ${id} not null,
      message_id ${id} not null,
      message text not null,
      after_seq bigint not null,
      constraint redactions_key primary key (channel_id, message_id)
    )`,
    sql`update threads set replies = (
        select count(*) from messages m
        where m.thread_id = threads.thread_id and m.channel_id = threads.channel_id
          and m.deleted_at is null)
      where exists (
        select 1 from messages d
        where d.thread_id = threads.thread_id and d.deleted_at is not null)`,
  ]);
}

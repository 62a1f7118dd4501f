import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { runAll } from './statements.ts';

/**
 * Halves the number of pages that a message writes, because new index entries now go to the end. On SQLite, the log
 * also moves to a new table, which adds rows at its end. The move of a million rows took a minute. The new table needs
 * as much free disk space as the log has.
 */
export async function orderLogByCommits(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const indexClientMessages = sql`create unique index log_by_client_message
    on log (client_message_id, channel_id, sender_id) where client_message_id is not null`;
  if (dialect === 'postgres') {
    await runAll(db, [sql`drop index log_by_client_message`, indexClientMessages]);
    return;
  }
  await runAll(db, [
    sql`create table log_by_commit (
      channel_id text not null,
      seq bigint not null,
      id text not null,
      type text not null,
      sender_id text not null,
      timestamp bigint not null,
      message_id text,
      client_message_id text,
      fingerprint text,
      envelope text not null,
      mark bigint,
      constraint log_key primary key (channel_id, seq)
    )`,
    sql`insert into log_by_commit (channel_id, seq, id, type, sender_id, timestamp, message_id,
        client_message_id, fingerprint, envelope, mark)
      select channel_id, seq, id, type, sender_id, timestamp, message_id, client_message_id,
        fingerprint, envelope, mark
      from log order by channel_id, seq`,
    sql`drop table log`,
    sql`alter table log_by_commit rename to log`,
    indexClientMessages,
    sql`create index log_edits on log (channel_id, message_id)
      where type = 'channel.message.edit'`,
    sql`create index log_marks on log (mark) where mark is not null`,
  ]);
}

import { sql, type Kysely } from 'kysely';
import { runAll } from './statements.ts';

/** Threads are listed by the seq of their last event. */
export async function addThreadActivity(db: Kysely<unknown>): Promise<void> {
  await runAll(db, [
    sql`alter table threads add column last_seq bigint not null default 0`,
    sql`update threads set last_seq = coalesce(
      (select max(seq) from messages m where m.thread_id = threads.thread_id),
      (select seq from messages m where m.id = threads.thread_id), 0)`,
    sql`create index threads_by_activity on threads (channel_id, last_seq, thread_id)`,
  ]);
}

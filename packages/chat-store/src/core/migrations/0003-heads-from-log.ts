import { sql, type Kysely } from 'kysely';
import { runAll } from './statements.ts';

/**
 * A channel's head is the seq of its log's last row, which also holds the mark of its commit, so sending updates no
 * row. Earlier releases updated `head` and `touched` of the channel's row with each send, and an old snapshot prevented
 * the removal of the row versions that this left.
 */
export async function readHeadsFromLog(db: Kysely<unknown>): Promise<void> {
  await runAll(db, [
    sql`alter table log add column mark bigint`,
    sql`update log set mark = (select nullif(touched, 0) from channels where id = log.channel_id)
      where (channel_id, seq) in (select id, head from channels)`,
    sql`create index log_marks on log (mark) where mark is not null`,
    sql`drop index channels_touched`,
    sql`alter table channels drop column head`,
    sql`alter table channels drop column touched`,
  ]);
}

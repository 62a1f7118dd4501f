import { sql, type Kysely } from 'kysely';
import { runAll } from './statements.ts';

/**
 * A channel's head is now the seq of its log's last row. This row also has the commit's mark. A send no longer updates
 * any row, because an old snapshot would keep every version of an updated row.
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

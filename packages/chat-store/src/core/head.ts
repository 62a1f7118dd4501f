import { sql, type RawBuilder } from 'kysely';

/**
 * The head of the channel whose id stands in `channelId`, a column with its table's name or alias; 0 while its log is empty: one descent of the log's
 * key. The log's rows are only inserted, so its cost does not grow while an old snapshot keeps dead rows from removal.
 * Under a channel's lock it must be read by a statement that began after the lock was granted.
 */
export function headOf(channelId: string): RawBuilder<number> {
  return sql<number>`coalesce((select max(seq) from log where channel_id = ${sql.ref(channelId)}), 0)`;
}

import { sql, type RawBuilder } from 'kysely';

/** See LogFloorsTable. The channel is an id, or the column that holds it. */
export function floorOf(channelId: string | { readonly column: string }): RawBuilder<number> {
  const id = typeof channelId === 'string' ? channelId : sql.ref(channelId.column);
  return sql<number>`coalesce((select floor from log_floors where channel_id = ${id}), 1)`;
}

/**
 * 0 for an empty log. `channelId` is a column, with its table. Costs one look-up in the log's key, even while an old
 * snapshot keeps dead rows, because a send only inserts into the log. Under a channel's lock, read it with a statement
 * that began after the lock was granted.
 */
export function headOf(channelId: string): RawBuilder<number> {
  return sql<number>`coalesce((select max(seq) from log where channel_id = ${sql.ref(channelId)}), 0)`;
}

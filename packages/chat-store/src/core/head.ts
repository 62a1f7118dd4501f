import { sql, type RawBuilder } from 'kysely';

/** Reads the floor of a channel's log; see LogFloorsTable. The channel is given by its id or by the column that holds it. */
export function floorOf(channelId: string | { readonly column: string }): RawBuilder<number> {
  const id = typeof channelId === 'string' ? channelId : sql.ref(channelId.column);
  return sql<number>`coalesce((select floor from log_floors where channel_id = ${id}), 1)`;
}

/**
 * The head of a channel, 0 while its log is empty. `channelId` is the column that holds the channel's id, with its
 * table's name or alias. Reading the head costs one look-up in the log's key. The cost stays the same while an old
 * snapshot prevents the removal of dead rows, because a send only inserts into the log. Under a channel's lock, read
 * the head with a statement that began after the lock was granted.
 */
export function headOf(channelId: string): RawBuilder<number> {
  return sql<number>`coalesce((select max(seq) from log where channel_id = ${sql.ref(channelId)}), 0)`;
}

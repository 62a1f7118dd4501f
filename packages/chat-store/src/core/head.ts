import { sql, type RawBuilder } from 'kysely';

/** See LogFloorsTable. Pass the channel's id, or the column that holds the id. */
export function floorOf(channelId: string | { readonly column: string }): RawBuilder<number> {
  const id = typeof channelId === 'string' ? channelId : sql.ref(channelId.column);
  return sql<number>`coalesce((select floor from log_floors where channel_id = ${id}), 1)`;
}

/**
 * The SQL of a channel's head, which is 0 for an empty log. `channelId` names a column with its table, such as
 * `channels.id`. A caller that locks the channel must begin the statement after the lock was granted, because a
 * statement that began earlier may see an older head. Costs one look-up in the log's primary key.
 */
export function headOf(channelId: string): RawBuilder<number> {
  return sql<number>`coalesce((select max(seq) from log where channel_id = ${sql.ref(channelId)}), 0)`;
}

import { sql, type Kysely } from 'kysely';
import type { Dialect } from '../engine.ts';
import { runAll } from './statements.ts';

/**
 * Names are compared bytewise, like ids. The column keeps its collation, because another one would break the prepared
 * statements of running hubs.
 */
export async function addChannelOrders(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const isListed = sql`kind = 'public' and deleted_at is null`;
  const name = dialect === 'sqlite' ? sql`name` : sql`name collate "C"`;
  await runAll(db, [
    sql`create index channels_by_name on channels (${name}, id) where ${isListed}`,
    sql`create index channels_by_age on channels (created_at, id) where ${isListed}`,
  ]);
}

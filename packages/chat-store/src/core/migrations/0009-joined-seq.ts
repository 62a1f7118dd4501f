import { sql, type Kysely } from 'kysely';

/**
 * Members have the seq of their join. Before this migration no message mentioned everyone, so 0 is right for the
 * present members.
 */
export async function addJoinedSeq(db: Kysely<unknown>): Promise<void> {
  await sql`alter table members add column joined_seq bigint not null default 0`.execute(db);
}

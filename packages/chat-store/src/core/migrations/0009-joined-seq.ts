import { sql, type Kysely } from 'kysely';

/** No stored message mentions everyone yet, so 0 is right for all existing members. */
export async function addJoinedSeq(db: Kysely<unknown>): Promise<void> {
  await sql`alter table members add column joined_seq bigint not null default 0`.execute(db);
}

import { sql, type Kysely } from 'kysely';

export async function addInboxOfAllSweep(db: Kysely<unknown>): Promise<void> {
  await sql`insert into sweeps (name, after_id, due_at) values ('inbox_of_all', '', 0)`.execute(db);
}

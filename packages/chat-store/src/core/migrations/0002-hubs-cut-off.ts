import { sql, type Kysely } from 'kysely';

/** Other hubs keep the presence leases of a hub without Redis alive. */
export async function addHubsCutOff(db: Kysely<unknown>): Promise<void> {
  await sql`alter table hubs add column cut_off integer not null default 0`.execute(db);
}

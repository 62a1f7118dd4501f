import { sql, type Kysely } from 'kysely';

/** A hub sets `cut_off` to 1 while it has no Redis, so that other hubs keep its presence leases alive. */
export async function addHubsCutOff(db: Kysely<unknown>): Promise<void> {
  await sql`alter table hubs add column cut_off integer not null default 0`.execute(db);
}

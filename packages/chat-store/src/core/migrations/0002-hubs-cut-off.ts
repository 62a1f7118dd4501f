import { sql, type Kysely } from 'kysely';

/** Hubs report whether they lack Redis. While a hub lacks it, the others keep the hub's presence leases alive. */
export async function addHubsCutOff(db: Kysely<unknown>): Promise<void> {
  await sql`alter table hubs add column cut_off integer not null default 0`.execute(db);
}

import { sql, type Kysely } from 'kysely';
import type { Dialect } from './engine.ts';
import type { Tables } from './tables.ts';

/**
 * Makes PostgreSQL read by key until the transaction ends. Otherwise it would scan tables that grew since their last
 * analysis.
 */
export async function useKeys(db: Kysely<Tables>, dialect: Dialect): Promise<void> {
  if (dialect === 'sqlite') return;
  await sql`select set_config(name, 'off', true)
    from unnest(array['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) as s(name)`.execute(
    db,
  );
}

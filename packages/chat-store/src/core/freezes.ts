import { sql, type Kysely } from 'kysely';
import type { Engine } from './engine.ts';
import type { ErasedAgent } from './erased-event.ts';
import type { Tables } from './tables.ts';

/** The row of `meta` whose value changes when a freeze of an agent or the hub is set or lifted. */
export const freezesRow = 'freezes';

/** A channel's freeze is in the channel's row. */
export interface Freezes {
  /** Unique to this state; see `Changes.freezes`. */
  readonly version: string;
  readonly hub: boolean;
  readonly agents: readonly string[];
}

/**
 * Reads the version before the freezes. If the freezes change in between, the returned version is already outdated, so
 * the caller reads again.
 */
export async function readFreezes({ db }: Engine): Promise<Freezes> {
  const meta = await db
    .selectFrom('meta')
    .select('value')
    .where('name', '=', freezesRow)
    .executeTakeFirst();
  const rows = await db
    .selectFrom('freezes')
    .select(['scope', 'id'])
    .where('scope', 'in', ['hub', 'agent'])
    .execute();
  return {
    version: meta?.value ?? '',
    hub: rows.some(({ scope }) => scope === 'hub'),
    agents: rows.filter(({ scope }) => scope === 'agent').map(({ id }) => id),
  };
}

/**
 * Empties the reasons that an erased agent gave, and replaces the agent's id with its pseudonym, if it has one. A
 * freeze of the agent itself stays, like the revocation of its tokens.
 */
export async function eraseFromFreezes(
  db: Kysely<Tables>,
  { agentId, pseudonym }: ErasedAgent,
): Promise<void> {
  await sql`update freezes set reason = '', set_by = ${pseudonym ?? agentId}
    where set_by = ${agentId}`.execute(db);
}

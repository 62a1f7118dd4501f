import type { AgentKind } from '@openclaw/protocol';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Engine } from './engine.ts';
import type { MembersTable, Tables } from './tables.ts';

export interface MemberRow extends MembersTable {
  readonly kind: AgentKind | null;
}

export interface AgentRecord {
  readonly agentId: string;
  /** The kind in a verified token; null without a token. An agent with a kind counts as seen now. */
  readonly kind: AgentKind | null;
}

export function kindOf(agentId: string): RawBuilder<AgentKind | null> {
  return sql<AgentKind | null>`(select a.kind from agents a where a.id = ${sql.ref(agentId)})`;
}

export async function readKind(db: Kysely<Tables>, agentId: string): Promise<AgentKind | null> {
  const row = await db
    .selectFrom('agents')
    .select('kind')
    .where('id', '=', agentId)
    .executeTakeFirst();
  return row?.kind ?? null;
}

export async function isKnownAgent({ db }: Pick<Engine, 'db'>, agentId: string): Promise<boolean> {
  const known = await db
    .selectFrom('agents')
    .select('id')
    .where('id', '=', agentId)
    .executeTakeFirst();
  return known !== undefined;
}

export async function recordAgents(engine: Engine, agents: readonly AgentRecord[]): Promise<void> {
  if (agents.length === 0) return;
  const now = engine.sql.now();
  // In id order, so that two hubs that write the same agents do not deadlock.
  const values = [...agents]
    .sort((a, b) => (a.agentId < b.agentId ? -1 : 1))
    .map(({ agentId, kind }) => ({
      id: agentId,
      kind,
      first_seen: kind === null ? null : now,
      last_seen: kind === null ? null : now,
    }));
  await engine.write((db) =>
    db
      .insertInto('agents')
      .values(values)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((eb) => ({
          kind: eb.fn.coalesce('excluded.kind', 'agents.kind'),
          first_seen: eb.fn.coalesce('agents.first_seen', 'excluded.first_seen'),
          last_seen: eb.fn.coalesce('excluded.last_seen', 'agents.last_seen'),
        })),
      )
      .execute(),
  );
}

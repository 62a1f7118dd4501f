import { sql } from 'kysely';
import { insertAudit, type AuditRecord } from './audit.ts';
import type { Engine } from './engine.ts';

export interface AgentOrder {
  readonly agentId: string;
  /** `kick`: the hubs close the agent's sockets once. `limit`: the hubs limit the agent's messages. */
  readonly kind: 'kick' | 'limit';
  /** The reason of a kick, or a limit as `count/seconds`. */
  readonly value: string;
}

export interface GivenAgentOrder extends AgentOrder {
  /** In the database's time. With the agent and the kind, it identifies the order. */
  readonly givenAtMs: number;
}

const ordersMax = 10_000;

/**
 * Replaces the agent's order of this kind. The new order lasts `forMs`, or until the next order if `forMs` is null. A
 * null `value` only ends the earlier order. The audit entry is in the same transaction.
 */
export function giveAgentOrder(
  engine: Engine,
  order: Omit<AgentOrder, 'value'> & { readonly value: string | null },
  forMs: number | null,
  audit: AuditRecord,
): Promise<void> {
  return engine.write(async (db) => {
    const { agentId: agent_id, kind, value } = order;
    const now = engine.sql.now();
    await db
      .deleteFrom('agent_orders')
      .where((eb) => eb.or([eb.and({ agent_id, kind }), eb('until_at', '<=', now)]))
      .execute();
    if (value !== null) {
      const until_at = forMs === null ? null : sql<number>`${now} + ${forMs}`;
      await db
        .insertInto('agent_orders')
        .values({ agent_id, kind, value, given_at: now, until_at })
        // Two hubs may give an order about one agent at the same moment. The later one stays.
        .onConflict((conflict) =>
          conflict.columns(['agent_id', 'kind']).doUpdateSet({ value, given_at: now, until_at }),
        )
        .execute();
    }
    await insertAudit(engine, db, [audit]);
  });
}

export async function sweepAgentOrders({ db, sql: { now } }: Engine): Promise<void> {
  await db.deleteFrom('agent_orders').where('until_at', '<=', now()).execute();
}

export async function readAgentOrders(engine: Engine): Promise<GivenAgentOrder[]> {
  const rows = await engine.db
    .selectFrom('agent_orders')
    .selectAll()
    .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', engine.sql.now())]))
    .orderBy('given_at', 'desc')
    .limit(ordersMax)
    .execute();
  return rows.map(({ agent_id: agentId, kind, value, given_at: givenAtMs }) => ({
    ...{ agentId, kind, value, givenAtMs },
  }));
}

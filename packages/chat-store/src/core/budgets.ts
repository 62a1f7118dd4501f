import type { ResultOf } from '@openclaw/protocol';
import type { Refusal } from '../commands.ts';
import type { Kysely } from 'kysely';
import type { ChannelsTable, Tables } from './tables.ts';
import { refuseNoRoot } from './thread-root.ts';
import { decodeTurns, pausedUntil, type Budget, type Turns } from './turns.ts';

export const noBudget: Budget = { agentTurns: null, perMinute: null };

export function budgetOfRow(row: Pick<ChannelsTable, 'agent_turns' | 'per_minute'>): Budget {
  return { agentTurns: row.agent_turns, perMinute: row.per_minute };
}

/** Refuses a `threadId` that is the id of no message, or of a reply. */
export async function findThreadBudget(
  db: Kysely<Tables>,
  channelId: string,
  threadId: string,
): Promise<{ readonly ok: true; readonly budget: Budget } | Refusal> {
  const row = await db
    .selectFrom('messages as m')
    .leftJoin('thread_budgets as b', (join) =>
      join.onRef('b.channel_id', '=', 'm.channel_id').onRef('b.thread_id', '=', 'm.id'),
    )
    .select(['m.thread_id', 'b.agent_turns', 'b.per_minute'])
    .where((eb) => eb.and({ 'm.id': threadId, 'm.channel_id': channelId }))
    .executeTakeFirst();
  return row?.thread_id === null
    ? { ok: true, budget: budgetOfRow(row) }
    : refuseNoRoot(row, threadId);
}

export async function readTurns(
  db: Kysely<Tables>,
  channelId: string,
  threadId: string | null,
): Promise<Turns> {
  const row =
    threadId === null
      ? await db
          .selectFrom('messages')
          .select('turns')
          .where('channel_id', '=', channelId)
          .orderBy('seq', 'desc')
          .limit(1)
          .executeTakeFirst()
      : await db
          .selectFrom('threads')
          .select('turns')
          .where((eb) => eb.and({ channel_id: channelId, thread_id: threadId }))
          .executeTakeFirst();
  return decodeTurns(row?.turns ?? null);
}

export function budgetOf(budget: Budget, turns: Turns, nowMs: number): ResultOf<'budget.get'> {
  return { ...budget, used: turns.used, pausedUntilMs: pausedUntil(turns, budget, nowMs) };
}

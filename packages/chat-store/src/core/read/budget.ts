import { sql } from 'kysely';
import { budgetOf, budgetOfRow, findThreadBudget, readTurns } from '../budgets.ts';
import { budgetWithin } from '../turns.ts';
import { openChannel, type Read } from './reading.ts';

export const getBudget: Read<'budget.get'> = async (
  db,
  actor,
  params,
  _maxBytes,
  dialect = 'sqlite',
) => {
  const { channelId, threadId } = params;
  const opened = await openChannel(db, actor, channelId, 'member');
  if (!opened.ok) return opened;
  const ofChannel = budgetOfRow(opened.channel);
  const found = threadId === null ? null : await findThreadBudget(db, channelId, threadId);
  if (found && !found.ok) return found;
  const turns = await readTurns(db, channelId, threadId);
  const budget = found ? budgetWithin(found.budget, ofChannel) : ofChannel;
  // The database's clock decides when a pause ends.
  const { rows } = await sql<{ now: number }>`select ${
    dialect === 'sqlite'
      ? sql`cast(unixepoch('subsec') * 1000 as integer)`
      : sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`
  } as now`.execute(db);
  return { ok: true, result: budgetOf(budget, turns, rows[0]?.now ?? 0) };
};

import type { JsonObject, Turn } from '@openclaw/protocol';
import { sql, type Kysely } from 'kysely';
import type { LedgerTable, Tables } from './tables.ts';

// The ledger sums the costs of agents' turns by the hour, as the messages of the turns are committed. A channel's rows
// change only under its lock.

export const hourMs = 3_600_000;

/** An empty text, because a column of a primary key cannot be null. */
export const outsideThreads = '';

/** The highest sum. Every JSON parser reads integers up to this one exactly. */
export const sumMax = Number.MAX_SAFE_INTEGER;

export const ledgerSums = ['turns', 'tokens_in', 'tokens_out', 'cost_micros', 'ms'] as const;

export const addToLedger = `on conflict (channel_id, hour, thread_id, agent_id) do update set ${ledgerSums
  .map((sum) => {
    const added = `ledger.${sum} + excluded.${sum}`;
    return `${sum} = case when ${added} > ${sumMax} then ${sumMax} else ${added} end`;
  })
  .join(', ')}`;

/** Null if the metadata has no turn. The turn is valid, because the params of the send were validated. */
export function ledgerRowOf(
  place: Pick<LedgerTable, 'channel_id' | 'agent_id'> & { readonly thread_id: string | null },
  metadata: JsonObject | null,
  nowMs: number,
): LedgerTable | null {
  const turn = metadata?.['turn'] as Turn | undefined;
  if (turn === undefined) return null;
  return {
    ...place,
    thread_id: place.thread_id ?? outsideThreads,
    hour: nowMs - (nowMs % hourMs),
    turns: 1,
    tokens_in: turn.tokensIn,
    tokens_out: turn.tokensOut,
    cost_micros: turn.costMicros,
    ms: turn.ms,
  };
}

/** One statement cannot change a row twice, so equal keys are added up. */
export function collectLedgerRow(rows: Map<string, LedgerTable>, row: LedgerTable): void {
  const key = [row.channel_id, row.thread_id, row.agent_id].join('\n');
  const known = rows.get(key);
  if (!known) rows.set(key, row);
  else for (const sum of ledgerSums) known[sum] = Math.min(sumMax, known[sum] + row[sum]);
}

const rowsMax = 500;

/**
 * Removes a batch of rows of hours that ended before `before`; by default, of all hours. Returns true if there may be
 * more rows.
 */
export async function removeFromLedger(
  db: Kysely<Tables>,
  channelId: string,
  before = Infinity,
): Promise<boolean> {
  const ended =
    before === Infinity ? sql`` : sql`and hour <= cast(${Math.floor(before) - hourMs} as bigint)`;
  const { numAffectedRows = 0n } = await sql`
    delete from ledger where channel_id = ${channelId} and (hour, thread_id, agent_id) in (
      select hour, thread_id, agent_id from ledger where channel_id = ${channelId} ${ended}
      limit ${sql.lit(rowsMax)})`.execute(db);
  return numAffectedRows >= rowsMax;
}

/** An earlier erasure may have left rows of the pseudonym. The agent's sums are then added to these rows. */
export async function renameInLedger(
  db: Kysely<Tables>,
  channelId: string,
  agentId: string,
  pseudonym: string,
): Promise<void> {
  const sums = sql.raw(ledgerSums.join(', '));
  const own = sql`channel_id = ${channelId} and agent_id = ${agentId}`;
  await sql`insert into ledger (channel_id, hour, thread_id, agent_id, ${sums})
    select channel_id, hour, thread_id, ${pseudonym}, ${sums} from ledger where ${own}
    ${sql.raw(addToLedger)}`.execute(db);
  await sql`delete from ledger where ${own}`.execute(db);
}

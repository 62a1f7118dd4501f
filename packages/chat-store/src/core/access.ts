import { sql } from 'kysely';
import type { Engine } from './engine.ts';
import { headOf } from './head.ts';
import type { Role } from './rights.ts';
import type { ChannelsTable } from './tables.ts';

export interface Access {
  readonly kind: ChannelsTable['kind'];
  readonly head: number;
  readonly floor: number;
  /** Rises when rows of the log are rewritten, which makes copies outdated. */
  readonly rewrites: number;
  readonly role: Role;
  readonly archived: boolean;
  readonly frozen?: true;
}

/** Costs one statement. A channel that does not exist or is deleted is absent. */
export async function readAccess(
  { db }: Engine,
  agentId: string,
  channelIds: readonly string[],
): Promise<Map<string, Access>> {
  if (channelIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('channels as c')
    .leftJoin('members as m', (join) =>
      join.onRef('m.channel_id', '=', 'c.id').on('m.agent_id', '=', agentId),
    )
    .leftJoin('log_floors as f', 'f.channel_id', 'c.id')
    .select(['c.id', 'c.kind', headOf('c.id').as('head'), 'c.archived_at', 'm.role'])
    .select('c.frozen_at')
    .select(['f.floor', 'f.rewrites'])
    .where('c.id', 'in', [...channelIds])
    .where('c.deleted_at', 'is', null)
    .execute();
  return new Map(
    rows.map(({ id, kind, head, floor, rewrites, role, archived_at, frozen_at }) => [
      id,
      {
        ...{ kind, head, role, archived: archived_at !== null },
        floor: floor ?? 1,
        rewrites: rewrites ?? 0,
        ...(frozen_at === null ? {} : { frozen: true as const }),
      },
    ]),
  );
}

export async function readHeads(
  { db }: Engine,
  channelIds: readonly string[],
): Promise<Map<string, number>> {
  if (channelIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('channels')
    .select(['id', headOf('channels.id').as('head')])
    .where('id', 'in', [...channelIds])
    .execute();
  return new Map(rows.map(({ id, head }) => [id, head]));
}

/**
 * The number of commits that are read per requested channel. If a few busy channels made most of these commits, fewer
 * channels are found.
 */
const commitsPerChannel = 10;

export async function readRecentHeads({ db }: Engine, limit: number): Promise<Map<string, number>> {
  const { rows } = await sql<{ id: string; head: number }>`
    select r.id, ${headOf('r.id')} as head from (
      select channel_id as id, max(mark) as mark from (
        select channel_id, mark from log where mark is not null
        order by mark desc limit ${sql.lit(limit * commitsPerChannel)}) as newest
      group by channel_id order by max(mark) desc limit ${sql.lit(limit)}) as r
    order by r.mark desc`.execute(db);
  return new Map(rows.map(({ id, head }) => [id, head]));
}

export interface DirectChannel {
  readonly channelId: string;
  readonly head: number;
  readonly activeAt: number;
}

/** Makes two look-ups in the log for each channel, by sub-selects. With a join, PostgreSQL would read the whole log. */
export function readDirectChannels(
  { db }: Pick<Engine, 'db'>,
  agentId: string,
  limit: number,
  after = '',
): Promise<DirectChannel[]> {
  return db
    .selectFrom('members as m')
    .innerJoin('channels as c', 'c.id', 'm.channel_id')
    .select([
      'm.channel_id as channelId',
      headOf('m.channel_id').as('head'),
      sql<number>`coalesce((select timestamp from log where channel_id = m.channel_id
        order by seq desc limit 1), 0)`.as('activeAt'),
    ])
    .where('m.agent_id', '=', agentId)
    .where('m.channel_id', '>', after < directIds.after ? directIds.after : after)
    .where('m.channel_id', '<', directIds.before)
    .where('c.kind', '=', 'direct')
    .where('c.deleted_at', 'is', null)
    .orderBy('m.channel_id')
    .limit(limit)
    .execute();
}

/** In byte order, all ids that begin with `dm_` are between these two. */
const directIds = { after: 'dm_', before: 'dm`' };

import { sql, type Kysely } from 'kysely';
import type { ChannelOrder, ParamsOf } from '@openclaw/protocol';
import { decodeListCursor, encodeListCursor } from '@openclaw/protocol/wire';
import type { Actor } from '../../commands.ts';
import { kindOf } from '../agents.ts';
import { headOf } from '../head.ts';
import type { Dialect } from '../engine.ts';
import { channelOf, memberOf } from '../objects.ts';
import type { ChannelWithHead, Tables } from '../tables.ts';
import { listText, openChannel, type Read } from './reading.ts';

export const getChannel: Read<'channel.get'> = async (db, actor, params) => {
  const opened = await openChannel(db, actor, params.channelId, 'anyone');
  return opened.ok ? { ok: true, result: { channel: channelOf(opened.channel) } } : opened;
};

/** Public channels and the caller's own; an admin sees all. */
export const listChannels: Read<'channel.list'> = async (
  db,
  actor,
  params,
  maxBytes,
  dialect = 'sqlite',
) => {
  if (actor.channels?.length === 0) return { ok: true, result: { channels: [], nextCursor: null } };
  const rows = new Map<string, Awaited<ReturnType<typeof pageOfOwn>>[number]>();
  // Two walks along an index, each as long as the page. A single walk would also read the direct channels of all
  // agents.
  if (params.member !== false) {
    for (const row of await pageOfOwn(db, actor, params, dialect)) rows.set(row.id, row);
  }
  if (params.member !== true) {
    for (const row of await pageOfOthers(db, actor, params, dialect)) rows.set(row.id, row);
  }
  const { limit, order } = params;
  const sorted = [...rows.values()].sort(comparisons[order ?? 'id']);
  const cursorOf = (last: ChannelWithHead) =>
    order === null ? last.id : encodeListCursor({ by: last[columns[order]], id: last.id });
  return listText('channels', sorted, { limit, maxBytes }, channelOf, cursorOf);
};

export const listMembers: Read<'member.list'> = async (db, actor, params, maxBytes) => {
  const { channelId, cursor, limit } = params;
  const opened = await openChannel(db, actor, channelId, 'member');
  if (!opened.ok) return opened;
  const rows = await db
    .selectFrom('members')
    .selectAll()
    .select(kindOf('members.agent_id').as('kind'))
    .where('channel_id', '=', channelId)
    .where('agent_id', '>', cursor ?? '')
    .orderBy('agent_id')
    .limit(limit + 1)
    .execute();
  return listText('members', rows, { limit, maxBytes }, memberOf, (last) => last.agent_id);
};

const columns = { name: 'name', newest: 'created_at' } as const;

type Compare = (a: ChannelWithHead, b: ChannelWithHead) => number;

const byId: Compare = (a, b) => (a.id < b.id ? -1 : 1);
const comparisons: Readonly<Record<ChannelOrder | 'id', Compare>> = {
  id: byId,
  name: (a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) || byId(a, b),
  newest: (a, b) => b.created_at - a.created_at || byId(b, a),
};

function pageOf({ order, cursor }: ParamsOf<'channel.list'>, id: string, dialect: Dialect) {
  const idColumn = sql.ref(id);
  if (order === null) return { after: sql<boolean>`${idColumn} > ${cursor ?? ''}`, by: idColumn };
  const isByName = order === 'name';
  const bytewise = isByName && dialect === 'postgres' ? sql`collate "C"` : sql``;
  const column = sql`${sql.ref(`c.${columns[order]}`)} ${bytewise}`;
  const [compared, direction] = isByName ? [sql`>`, sql`asc`] : [sql`<`, sql`desc`];
  const place = cursor === null ? null : decodeListCursor(cursor, order);
  return {
    after: place
      ? sql<boolean>`(${column}, c.id) ${compared} (${place.by}, ${place.id})`
      : sql<boolean>`1 = 1`,
    by: sql`${column} ${direction}, c.id ${direction}`,
  };
}

function pageOfOwn(
  db: Kysely<Tables>,
  actor: Actor,
  params: ParamsOf<'channel.list'>,
  dialect: Dialect,
) {
  // In the default order, the walk follows the index of memberships.
  const { after, by } = pageOf(params, 'm.channel_id', dialect);
  let query = db
    .selectFrom('members as m')
    .innerJoin('channels as c', 'c.id', 'm.channel_id')
    .selectAll('c')
    .select(headOf('c.id').as('head'))
    .where('m.agent_id', '=', actor.agentId)
    .where(after)
    .where('c.deleted_at', 'is', null)
    .orderBy(by)
    .limit(params.limit + 1);
  if (params.kind !== null) query = query.where('c.kind', '=', params.kind);
  if (actor.channels) query = query.where('c.id', 'in', [...actor.channels]);
  return query.execute();
}

function pageOfOthers(
  db: Kysely<Tables>,
  actor: Actor,
  params: ParamsOf<'channel.list'>,
  dialect: Dialect,
) {
  const { after, by } = pageOf(params, 'c.id', dialect);
  let query = db
    .selectFrom('channels as c')
    .selectAll('c')
    .select(headOf('c.id').as('head'))
    .where(after)
    .where('c.deleted_at', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('members as m')
            .select('m.role')
            .whereRef('m.channel_id', '=', 'c.id')
            .where('m.agent_id', '=', actor.agentId),
        ),
      ),
    )
    .orderBy(by)
    .limit(params.limit + 1);
  if (params.kind !== null) query = query.where('c.kind', '=', params.kind);
  // A literal, so that the planner can use the index of public channels.
  if (!actor.isAdmin) query = query.where('c.kind', '=', sql.lit('public' as const));
  if (actor.channels) query = query.where('c.id', 'in', [...actor.channels]);
  return query.execute();
}

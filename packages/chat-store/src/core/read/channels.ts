import { sql, type Kysely } from 'kysely';
import type { ParamsOf } from '@openclaw/protocol';
import type { Actor } from '../../commands.ts';
import { kindOf } from '../agents.ts';
import { headOf } from '../head.ts';
import { channelOf, memberOf } from '../objects.ts';
import type { Tables } from '../tables.ts';
import { listText, openChannel, type Read } from './reading.ts';

/** Anyone may get a public channel. */
export const getChannel: Read<'channel.get'> = async (db, actor, params) => {
  const opened = await openChannel(db, actor, params.channelId, 'anyone');
  return opened.ok ? { ok: true, result: { channel: channelOf(opened.channel) } } : opened;
};

/** Public channels and the caller's own, by id; an admin sees all. */
export const listChannels: Read<'channel.list'> = async (db, actor, params, maxBytes) => {
  if (actor.channels?.length === 0) return { ok: true, result: { channels: [], nextCursor: null } };
  const rows = new Map<string, Awaited<ReturnType<typeof pageOfOwn>>[number]>();
  // Two walks along an index, each as long as the page, instead of one over the direct channels of all agents.
  if (params.member !== false) {
    for (const row of await pageOfOwn(db, actor, params)) rows.set(row.id, row);
  }
  if (params.member !== true) {
    for (const row of await pageOfOthers(db, actor, params)) rows.set(row.id, row);
  }
  const sorted = [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { limit } = params;
  return listText('channels', sorted, { limit, maxBytes }, channelOf, (last) => last.id);
};

/** For members only. */
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

function pageOfOwn(db: Kysely<Tables>, actor: Actor, params: ParamsOf<'channel.list'>) {
  let query = db
    .selectFrom('members as m')
    .innerJoin('channels as c', 'c.id', 'm.channel_id')
    .selectAll('c')
    .select(headOf('c.id').as('head'))
    .where('m.agent_id', '=', actor.agentId)
    .where('m.channel_id', '>', params.cursor ?? '')
    .where('c.deleted_at', 'is', null)
    .orderBy('m.channel_id')
    .limit(params.limit + 1);
  if (params.kind !== null) query = query.where('c.kind', '=', params.kind);
  if (actor.channels) query = query.where('c.id', 'in', [...actor.channels]);
  return query.execute();
}

function pageOfOthers(db: Kysely<Tables>, actor: Actor, params: ParamsOf<'channel.list'>) {
  let query = db
    .selectFrom('channels as c')
    .selectAll('c')
    .select(headOf('c.id').as('head'))
    .where('c.id', '>', params.cursor ?? '')
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
    .orderBy('c.id')
    .limit(params.limit + 1);
  if (params.kind !== null) query = query.where('c.kind', '=', params.kind);
  // Written as a literal, so that the planner can use the index of public channels.
  if (!actor.isAdmin) query = query.where('c.kind', '=', sql.lit('public' as const));
  if (actor.channels) query = query.where('c.id', 'in', [...actor.channels]);
  return query.execute();
}

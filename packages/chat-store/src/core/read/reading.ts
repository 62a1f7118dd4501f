import type { Kysely } from 'kysely';
import {
  refuse,
  type Actor,
  type ReadMethod,
  type ReadOutcome,
  type Refusal,
} from '../../commands.ts';
import type { ParamsOf } from '@openclaw/protocol';
import { headOf } from '../head.ts';
import { judge, type Needs } from '../rights.ts';
import type { ChannelWithHead, Tables } from '../tables.ts';

/** Answers one method; all its statements see the same commit, rights included. */
export type Read<M extends ReadMethod> = (
  db: Kysely<Tables>,
  actor: Actor,
  params: ParamsOf<M>,
) => Promise<ReadOutcome<M>>;

/** The channel to read from, if the actor may. */
export async function openChannel(
  db: Kysely<Tables>,
  actor: Actor,
  channelId: string,
  from: Needs['from'],
): Promise<{ readonly ok: true; readonly channel: ChannelWithHead } | Refusal> {
  const row = await db
    .selectFrom('channels as c')
    .leftJoin('members as m', (join) =>
      join.onRef('m.channel_id', '=', 'c.id').on('m.agent_id', '=', actor.agentId),
    )
    .selectAll('c')
    .select(['m.role', headOf('c.id').as('head')])
    .where('c.id', '=', channelId)
    .executeTakeFirst();
  const denied = judge(actor, channelId, row, row?.role ?? null, { from, inArchived: true });
  if (denied) return denied;
  return row ? { ok: true, channel: row } : refuse('not_found', `there is no channel ${channelId}`);
}

/** One page of rows read with one more than `limit`, and where the next begins. */
export function pageOf<R>(rows: readonly R[], limit: number, cursorOf: (last: R) => string) {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? cursorOf(last) : null;
  return { page, nextCursor };
}

import { sql, type Kysely, type RawBuilder } from 'kysely';
import {
  refuse,
  type Actor,
  type ReadMethod,
  type ReadOutcome,
  type Refusal,
} from '../../commands.ts';
import type { ParamsOf } from '@openclaw/protocol';
import type { Engine } from '../engine.ts';
import { headOf } from '../head.ts';
import type { Dialect } from '../engine.ts';
import { authorize, type Needs } from '../rights.ts';
import type { ChannelWithHead, Tables } from '../tables.ts';
import { resultText } from './page-text.ts';

/**
 * All statements see the same commit, including the rights check. A list's result is JSON in pieces; its rows take at
 * most `maxBytes`.
 */
export type Read<M extends ReadMethod> = (
  db: Kysely<Tables>,
  actor: Actor,
  params: ParamsOf<M>,
  maxBytes: number,
  dialect: Dialect,
  at: Engine['sql'],
) => Promise<ReadOutcome<M> | { readonly ok: true; readonly text: Iterable<string | Uint8Array> }>;

/** Refuses an actor without the rights. */
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
  const denied = authorize(actor, channelId, row, row?.role ?? null, { from, inArchived: true });
  if (denied) return denied;
  return row ? { ok: true, channel: row } : refuse('not_found', `there is no channel ${channelId}`);
}

/**
 * The SQL condition that the actor may read channel `c`, as a member or as an admin. Does not check whether the actor's
 * token is limited to some channels.
 */
export function mayRead({ agentId, isAdmin, observesPrivate }: Actor): RawBuilder<boolean> {
  const isMember = sql<boolean>`exists (select 1 from members m
    where m.channel_id = c.id and m.agent_id = ${agentId})`;
  if (!isAdmin) return isMember;
  return observesPrivate === false ? sql`(c.kind = 'public' or ${isMember})` : sql`1 = 1`;
}

/**
 * `rows` must have one row more than `limit` if there are more rows. A row is serialized when its text is taken,
 * because a whole page in one turn would block the event loop.
 */
export function listText<R>(
  list: string,
  rows: readonly R[],
  { limit, maxBytes }: { readonly limit: number; readonly maxBytes: number },
  objectOf: (row: R) => object,
  cursorOf: (last: R) => string,
  others: Readonly<Record<string, unknown>> = {},
) {
  let count = 0;
  function* texts(): Generator<string> {
    let bytes = 0;
    for (const row of rows.slice(0, limit)) {
      const text = JSON.stringify(objectOf(row));
      // Counts the comma before the row.
      bytes += Buffer.byteLength(text) + 1;
      if (bytes > maxBytes && count > 0) break;
      yield count > 0 ? `,${text}` : text;
      count += 1;
    }
  }
  const rest = () => {
    const last = rows[count - 1];
    const isMore = rows.length > count && last !== undefined;
    return { ...others, nextCursor: isMore ? cursorOf(last) : null };
  };
  return { ok: true as const, text: resultText(list, texts(), rest) };
}

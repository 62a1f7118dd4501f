import type { Message, ParamsOf } from '@openclaw/protocol';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Actor } from '../../commands.ts';
import { floorOf } from '../head.ts';
import { createPauses } from '../search/pauses.ts';
import { eventOfRow } from '../stored-envelope.ts';
import type { Tables } from '../tables.ts';
import { hasWantedTime } from './search-times.ts';

type Params = ParamsOf<'message.search'>;

/** The most bytes that one statement loads, unless one message has more. */
const statementBytes = 262_144;

interface Allowance {
  messages: number;
  bytes: number;
}

/** Yields the messages that the caller may read, newest first, with their current texts. */
export async function* foundMessages(
  db: Kysely<Tables>,
  actor: Actor,
  params: Params,
  docs: readonly number[],
  allowance: Allowance,
): AsyncGenerator<{ readonly doc: number; readonly message: Message }> {
  const pauses = createPauses();
  let left = docs;
  while (left.length > 0) {
    // With sub-selects instead of joins, each row costs a few look-ups by key, even with outdated statistics.
    const { rows } = await sql<{ doc: number; envelope: string | null }>`
      with readable as materialized (
        select d.doc, d.channel_id, case when ${mayRead(actor, params)}
          and (select c.deleted_at from channels c where c.id = d.channel_id) is null
          then (
            select m.text_seq from messages m
            where m.channel_id = d.channel_id and m.seq = d.seq and m.deleted_at is null
              and m.seq >= ${floorOf({ column: 'd.channel_id' })} and ${hasWantedTime(params)})
          end as text_seq
        from search_docs d where d.doc in (${sql.join([...left])})
      ), sized as materialized (
        select r.*, (select octet_length(l.envelope) from log l
          where l.channel_id = r.channel_id and l.seq = r.text_seq) as bytes
        from readable r where r.text_seq is not null
      ), summed as (
        select s.*, cast(sum(bytes) over (order by doc desc rows unbounded preceding) as bigint)
          as total
        from sized s
      )
      select doc, case when total <= ${sql.lit(statementBytes)} or total = bytes then (
        select l.envelope from log l where l.channel_id = t.channel_id and l.seq = t.text_seq)
      end as envelope
      from summed t where bytes is not null order by doc desc`.execute(db);
    const next = rows.find(({ envelope }) => envelope === null)?.doc;
    for (const { doc, envelope } of rows) {
      if (envelope === null) break;
      allowance.messages -= 1;
      allowance.bytes -= envelope.length;
      await pauses.after(envelope.length);
      const event = eventOfRow(envelope);
      if ('message' in event) yield { doc, message: event.message };
    }
    left = next === undefined ? [] : left.filter((doc) => doc <= next);
  }
}

function mayRead(actor: Actor, { channelId }: Params): RawBuilder<boolean> {
  // The caller's rights in a named channel were checked earlier.
  if (channelId !== null) return sql`d.channel_id = ${channelId}`;
  const isMember = sql<boolean>`exists (select 1 from members r
    where r.channel_id = d.channel_id and r.agent_id = ${actor.agentId})`;
  return actor.channels
    ? sql`${isMember} and d.channel_id in (${sql.join([...actor.channels])})`
    : isMember;
}

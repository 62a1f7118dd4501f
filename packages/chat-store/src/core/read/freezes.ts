import { sql } from 'kysely';
import type { FreezesTable } from '../tables.ts';
import { resultText } from './page-text.ts';
import type { Read } from './reading.ts';

const rowsMax = 1_000;
/** The list ends at this size, because each reason may take up to 2 KiB. */
const pageBytes = 480 * 1_024;

/** Answers a single page. The freezes of the hub and of agents come first, then those of channels. */
export const listFreezes: Read<'freeze.list'> = async (db, actor, _params, maxBytes) => {
  const isMine = actor.isAdmin && !actor.channels ? sql`1 = 1` : sql`f.id = ${actor.agentId}`;
  const inBounds = actor.channels
    ? actor.channels.length === 0
      ? sql`and 1 = 0`
      : sql`and c.id in (${sql.join([...actor.channels])})`
    : sql``;
  const isMember = actor.isAdmin
    ? sql`1 = 1`
    : sql`exists (select 1 from members m where m.channel_id = c.id and m.agent_id = ${actor.agentId})`;
  const { rows } = await sql<FreezesTable>`
    select f.* from freezes f left join channels c on f.scope = 'channel' and c.id = f.id
    where f.scope = 'hub' or (f.scope = 'agent' and ${isMine})
      or (f.scope = 'channel' and c.deleted_at is null and ${isMember} ${inBounds})
    order by case f.scope when 'hub' then 0 when 'agent' then 1 else 2 end, f.set_at desc, f.id
    limit ${sql.lit(rowsMax)}`.execute(db);
  const texts: string[] = [];
  let bytes = 0;
  for (const row of rows) {
    const text = `${texts.length === 0 ? '' : ','}${JSON.stringify(freezeOf(row))}`;
    bytes += Buffer.byteLength(text);
    if (bytes > Math.min(maxBytes, pageBytes) && texts.length > 0) break;
    texts.push(text);
  }
  return { ok: true, text: resultText('freezes', texts, () => ({})) };
};

function freezeOf({ scope, id, reason, set_by: by, set_at: atMs }: FreezesTable) {
  return { scope, id: id === '' ? null : id, reason, by, atMs };
}

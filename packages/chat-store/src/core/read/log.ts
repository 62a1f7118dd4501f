import type { EncodedEnvelope } from '@openclaw/protocol';
import { sql, type Kysely } from 'kysely';
import { readableEnvelope, selectReadable } from '../redactions.ts';
import { envelopeOfRow } from '../stored-envelope.ts';
import type { Tables } from '../tables.ts';
import { resultText, stepsOf } from './page-text.ts';
import { openChannel, type Read } from './reading.ts';

/** A piece of a channel's log. */
export interface LogPage {
  readonly events: readonly EncodedEnvelope[];
  readonly head: number;
  /** The epoch of the head. */
  readonly epoch: string;
}

/**
 * The events after `after`, in order: at most `limit` events and `maxBytes`, but at least one. Checks no rights. An unknown
 * channel has head 0.
 */
export async function readLogPage(
  db: Kysely<Tables>,
  channelId: string,
  after: number,
  limit: number,
  maxBytes: number,
): Promise<LogPage> {
  const meta = await db
    .selectFrom('meta')
    .select('value as epoch')
    .select((eb) =>
      eb
        .selectFrom('log')
        .select((log) => log.fn.max('seq').as('head'))
        .where('channel_id', '=', channelId)
        .as('head'),
    )
    .where('name', '=', 'epoch')
    .executeTakeFirstOrThrow();
  const events: EncodedEnvelope[] = [];
  // Without a snapshot the rows may be newer than the head that was read before them.
  const page = () => ({
    events,
    epoch: meta.epoch,
    head: Math.max(meta.head ?? 0, events.at(-1)?.seq ?? 0),
  });
  if (after >= (meta.head ?? 0)) return page();
  // Sizes come first, so that a page limited by its bytes does not load a thousand long rows.
  const sizes = await db
    .selectFrom('log')
    .select(['seq', sql<number>`octet_length(envelope)`.as('bytes')])
    .where('channel_id', '=', channelId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
  let bytes = 0;
  for (const step of stepsOf(sizes, maxBytes)) {
    const rows = await selectReadable(db)
      .where('channel_id', '=', channelId)
      .where('seq', '>=', step[0]?.seq ?? 0)
      .where('seq', '<=', step.at(-1)?.seq ?? 0)
      .orderBy('seq')
      .execute();
    for (const row of rows) {
      const event = envelopeOfRow({ ...row, envelope: readableEnvelope(row) }, meta.epoch);
      // Counts the comma between two events.
      bytes += Buffer.byteLength(event.json) + 1;
      if (bytes > maxBytes && events.length > 0) return page();
      events.push(event);
    }
  }
  return page();
}

/** Pages the log, for members. */
export const readLog: Read<'log.read'> = async (db, actor, params, maxBytes) => {
  const { channelId, after, limit } = params;
  const opened = await openChannel(db, actor, channelId, 'member');
  if (!opened.ok) return opened;
  const { events, head } = await readLogPage(db, channelId, after, limit, maxBytes);
  const hasMore = (events.at(-1)?.seq ?? after) < head;
  const texts = events.map((event) => event.json);
  return { ok: true, text: resultText('events', texts, { head, hasMore }) };
};

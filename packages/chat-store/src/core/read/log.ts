import { limits, type EncodedEnvelope, type Envelope } from '@openclaw/protocol';
import type { Kysely } from 'kysely';
import { readableEnvelope, selectReadable } from '../redactions.ts';
import { envelopeOfRow } from '../stored-envelope.ts';
import type { Tables } from '../tables.ts';
import { openChannel, type Read } from './reading.ts';

/** A piece of a channel's log. */
export interface LogPage {
  readonly events: readonly EncodedEnvelope[];
  readonly head: number;
  /** The life of the database that the head is of. */
  readonly epoch: string;
}

/**
 * The events after `after`, in order: at most `limit` of them and `maxBytes` together, but always one.
 * No rights are asked. An unknown channel has head 0.
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
    .select((eb) => eb.selectFrom('channels').select('head').where('id', '=', channelId).as('head'))
    .where('name', '=', 'epoch')
    .executeTakeFirstOrThrow();
  const events: EncodedEnvelope[] = [];
  // Without a snapshot the rows may be newer than the head that was read before them.
  const page = () => ({
    ...{ events, epoch: meta.epoch },
    head: Math.max(meta.head ?? 0, events.at(-1)?.seq ?? 0),
  });
  if (after >= (meta.head ?? 0)) return page();
  let bytes = 0;
  // Read in steps: a page that ends by its bytes has not loaded a thousand long rows first.
  for (let last = after; events.length < limit;) {
    const rows = await selectReadable(db)
      .where('channel_id', '=', channelId)
      .where('seq', '>', last)
      .orderBy('seq')
      .limit(Math.min(limit - events.length, 250))
      .execute();
    for (const row of rows) {
      const event = envelopeOfRow({ ...row, envelope: readableEnvelope(row) }, meta.epoch);
      bytes += Buffer.byteLength(event.json);
      if (bytes > maxBytes && events.length > 0) return page();
      events.push(event);
      last = row.seq;
    }
    if (rows.length < 250) break;
  }
  return page();
}

/** The log itself, for members. */
export const readLog: Read<'log.read'> = async (db, actor, params) => {
  const { channelId, after, limit } = params;
  const gate = await openChannel(db, actor, channelId, 'member');
  if (!gate.ok) return gate;
  const { events, head } = await readLogPage(db, channelId, after, limit, limits.resumeBytes);
  const hasMore = (events.at(-1)?.seq ?? after) < head;
  const envelopes = events.map((event) => JSON.parse(event.json) as Envelope);
  return { ok: true, result: { events: envelopes, head, hasMore } };
};

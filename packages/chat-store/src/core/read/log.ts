import type { EncodedEnvelope } from '@openclaw/protocol';
import { sql, type Kysely } from 'kysely';
import type { Engine } from '../engine.ts';
import { floorOf } from '../head.ts';
import { readableEnvelope, selectReadable } from '../redactions.ts';
import { envelopeOfRow, epochField } from '../stored-envelope.ts';
import type { Tables } from '../tables.ts';
import { createPageText, resultText, stepsOf } from './page-text.ts';
import { openChannel, type Read } from './reading.ts';

export interface LogPage {
  readonly events: readonly EncodedEnvelope[];
  readonly head: number;
  readonly floor: number;
  readonly epoch: string;
}

/**
 * Untrimmed events after `after`, without gaps: at most `limit` events and `maxBytes`, but at least one. Checks no
 * rights. An unknown channel has head 0.
 */
export async function readLogPage(
  { db }: Engine,
  channelId: string,
  after: number,
  limit: number,
  maxBytes: number,
): Promise<LogPage> {
  const events: EncodedEnvelope[] = [];
  let bytes = 0;
  const { epoch, head, floor } = await readSteps(
    db,
    channelId,
    { after, limit, maxBytes },
    (rows, epoch) =>
      rows.every((row) => {
        const event = envelopeOfRow(row, epoch);
        // Rows may be trimmed between two statements that share no snapshot, so the page ends before a gap.
        const last = events.at(-1);
        if (last && last.seq !== row.seq - 1) return false;
        // Counts the comma between two events.
        bytes += Buffer.byteLength(event.json) + 1;
        if (bytes > maxBytes && events.length > 0) return false;
        events.push(event);
        return true;
      }),
  );
  // Without a snapshot, the rows may be newer than the head and floor that were read before.
  const [first] = events;
  return {
    ...{ events, epoch },
    head: Math.max(head, events.at(-1)?.seq ?? 0),
    floor: first && first.seq !== after + 1 ? Math.max(floor, first.seq ?? 0) : floor,
  };
}

type Row = Parameters<typeof envelopeOfRow>[0];

/** Passes the log's rows to `add` in steps, until `add` returns false. */
async function readSteps(
  db: Kysely<Tables>,
  channelId: string,
  { after, limit, maxBytes }: { after: number; limit: number; maxBytes: number },
  add: (rows: readonly Row[], epoch: string) => boolean,
): Promise<{ epoch: string; head: number; floor: number }> {
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
    .select((eb) =>
      eb.selectFrom('log_floors').select('floor').where('channel_id', '=', channelId).as('floor'),
    )
    .where('name', '=', 'epoch')
    .executeTakeFirstOrThrow();
  const moment = { epoch: meta.epoch, head: meta.head ?? 0, floor: meta.floor ?? 1 };
  const from = Math.max(after, moment.floor - 1);
  if (from >= moment.head) return moment;
  // Reads sizes first, so that a page limited by its bytes does not load a thousand long rows.
  const sizes = await db
    .selectFrom('log')
    .select(['seq', sql<number>`octet_length(envelope)`.as('bytes')])
    .where('channel_id', '=', channelId)
    .where('seq', '>', from)
    .orderBy('seq')
    .limit(limit)
    .execute();
  const steps = [...stepsOf(sizes, maxBytes)];
  for (const step of steps) {
    const rows = await selectReadable(db)
      .where('channel_id', '=', channelId)
      .where('seq', '>=', step[0]?.seq ?? 0)
      .where('seq', '<=', step.at(-1)?.seq ?? 0)
      // Without a snapshot, the log may be trimmed between two statements, so each statement compares with the present
      // floor. The last row stays even in an emptied log. It is then below the floor, so it must not be returned.
      .where('seq', '>=', floorOf(channelId))
      .orderBy('seq')
      .execute();
    if (step === steps[0] && rows[0]?.seq !== step[0]?.seq) {
      // The rows were trimmed since the floor was read. Trims come seconds apart, so the recursion ends.
      return readSteps(db, channelId, { after, limit, maxBytes }, add);
    }
    const readable = rows.map((row) => ({ ...row, envelope: readableEnvelope(row) }));
    if (!add(readable, moment.epoch)) break;
  }
  return moment;
}

export const readLog: Read<'log.read'> = async (db, actor, params, maxBytes) => {
  const { channelId, after, limit } = params;
  const opened = await openChannel(db, actor, channelId, 'member');
  if (!opened.ok) return opened;
  const page = createPageText(maxBytes);
  let last = after;
  const { head, floor } = await readSteps(
    db,
    channelId,
    { after, limit, maxBytes },
    (rows, epoch) => {
      const before = page.count;
      const isOpen = page.add(rows.map((row) => [row.envelope, epochField(epoch)]));
      last = rows[page.count - before - 1]?.seq ?? last;
      return isOpen;
    },
  );
  return {
    ok: true,
    text: resultText('events', page.pieces, () => ({
      ...{ head, floor },
      hasMore: Math.max(last, floor - 1) < head,
    })),
  };
};

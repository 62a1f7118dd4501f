import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { AppendedEvent } from '../commands.ts';
import { interruptStreams } from './decide/interruptions.ts';
import type { Engine } from './engine.ts';
import { createGroupState } from './group-state.ts';
import { emptyLists } from './group-statements.ts';
import type { Tables } from './tables.ts';

/** Times after which a stream is interrupted, in milliseconds of the database's time. */
export interface StreamLimits {
  /**
   * The time without a connection of the author. Null while the caller does not know the connections: shortly after its
   * start, after an outage, or after a restore.
   */
  readonly awayMs: number | null;
  /** The time without an append. */
  readonly idleMs: number;
}

/** The most streams that one piece interrupts. */
const streamsMax = 50;

/**
 * Interrupts some streams: due ones, and those of authors that are away, silent or frozen. Any number of hubs may call
 * it at once, because each stream is checked under its channel's lock. Returns the events to publish. If a channel
 * fails, for example because it is locked, the streams of other channels are still interrupted. Rejects only when all
 * fail.
 */
export async function sweepStreams(engine: Engine, limits: StreamLimits): Promise<AppendedEvent[]> {
  const found = await engine.db
    .selectFrom('streams')
    .select(['message_id', 'channel_id'])
    .where(isOver(engine, limits))
    .limit(streamsMax)
    .execute();
  const idsOf = new Map<string, string[]>();
  for (const { channel_id, message_id } of found)
    idsOf.set(channel_id, [...(idsOf.get(channel_id) ?? []), message_id]);
  const events: AppendedEvent[] = [];
  const errors: unknown[] = [];
  for (const [channelId, ids] of idsOf) {
    try {
      events.push(...(await sweepChannel(engine, limits, channelId, ids)));
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0 && errors.length === idsOf.size) throw errors[0];
  return events;
}

async function sweepChannel(
  engine: Engine,
  limits: StreamLimits,
  channelId: string,
  ids: readonly string[],
): Promise<AppendedEvent[]> {
  const opening = await engine.beginGroup([channelId], emptyLists);
  try {
    const group = createGroupState(opening);
    const channel = group.channel(channelId);
    let ended: AppendedEvent[] = [];
    if (channel?.deleted_at === null) {
      ended = await interruptStreams(
        group,
        channel,
        sql<boolean>`message_id in (${sql.join(ids)}) and ${isOver(engine, limits)}`,
      );
    } else {
      await removeAll(group.db, ids);
    }
    await opening.transaction.commit(group.takeLastRows());
    return ended;
  } catch (error) {
    await opening.transaction.rollback();
    throw error;
  }
}

function isOver(engine: Engine, { awayMs, idleMs }: StreamLimits): RawBuilder<boolean> {
  const before = (ms: number) => sql`${engine.sql.now()} - ${sql.lit(ms)}`;
  const isAway = awayMs === null ? sql`1 = 0` : sql`seen_at < ${before(awayMs)}`;
  return sql<boolean>`(due = 1 or ${isAway} or appended_at < ${before(idleMs)}
    or (kind = 'agent' and exists (select 1 from freezes f where f.scope = 'hub'
      or (f.scope = 'agent' and f.id = streams.agent_id))))`;
}

async function removeAll(db: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  await db.deleteFrom('streams').where('message_id', 'in', ids).execute();
}

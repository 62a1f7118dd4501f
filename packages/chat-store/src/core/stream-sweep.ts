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
   * The time without a connection of the author. Null while the caller does not know the connections, shortly after its
   * start or its return.
   */
  readonly awayMs: number | null;
  /** The time without an append. */
  readonly idleMs: number;
}

/** The most streams that one piece interrupts. */
const streamsMax = 50;

/**
 * Interrupts some streams: due ones, and those of authors that are away, silent or frozen. Any number of hubs may
 * call it at once, because it checks each stream under its channel's lock. Returns the events to publish.
 */
export async function sweepStreams(engine: Engine, limits: StreamLimits): Promise<AppendedEvent[]> {
  const found = await engine.db
    .selectFrom('streams')
    .select(['message_id', 'channel_id'])
    .where(isOver(engine, limits))
    .limit(streamsMax)
    .execute();
  const events: AppendedEvent[] = [];
  for (const channelId of [...new Set(found.map(({ channel_id }) => channel_id))].sort()) {
    const opening = await engine.beginGroup([channelId], emptyLists);
    try {
      const group = createGroupState(opening);
      const channel = group.channel(channelId);
      const ids = found
        .filter(({ channel_id }) => channel_id === channelId)
        .map(({ message_id }) => message_id);
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
      events.push(...ended);
    } catch (error) {
      await opening.transaction.rollback();
      throw error;
    }
  }
  return events;
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

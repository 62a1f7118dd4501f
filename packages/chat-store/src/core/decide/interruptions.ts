import type { Message } from '@openclaw/protocol';
import { sql, type RawBuilder } from 'kysely';
import type { Actor, AppendedEvent } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { messagesOf, selectMessages } from '../message-projection.ts';
import { removeStream } from '../streams.ts';
import type { ChannelWithHead } from '../tables.ts';

const hub: Pick<Actor, 'agentId' | 'kind'> = { agentId: 'hub', kind: 'hub' };

/** The most streams that one transaction interrupts. The sweep interrupts the rest. */
const interruptedMax = 50;

/**
 * Ends the channel's streams that `which` selects. Each message keeps its checkpointed text. The streams beyond
 * {@link interruptedMax} become due for the sweep.
 */
export async function interruptStreams(
  group: GroupState,
  channel: ChannelWithHead,
  which: RawBuilder<boolean>,
): Promise<AppendedEvent[]> {
  const { db } = group;
  const streams = await db
    .selectFrom('streams')
    .select('message_id')
    .where('channel_id', '=', channel.id)
    .where(which)
    .orderBy('seq')
    .limit(interruptedMax + 1)
    .execute();
  if (streams.length === 0) return [];
  const ids = streams.slice(0, interruptedMax).map(({ message_id }) => message_id);
  const rows = await selectMessages(db).where('m.id', 'in', ids).orderBy('m.seq').execute();
  const events: AppendedEvent[] = [];
  for (const message of await messagesOf(db, rows)) {
    events.push(await logEnd(group, channel, hub, { ...message, state: 'interrupted' }));
  }
  if (streams.length > interruptedMax)
    await db
      .updateTable('streams')
      .set({ due: 1 })
      .where('channel_id', '=', channel.id)
      .where(which)
      .execute();
  return events;
}

export const ofAgent = (agentId: string) => sql<boolean>`agent_id = ${agentId}`;
/** A channel's freeze covers agents only. */
export const ofAgents = sql<boolean>`kind = 'agent'`;
export const ofAll = sql<boolean>`1 = 1`;

export async function logEnd(
  group: GroupState,
  channel: ChannelWithHead,
  sender: Pick<Actor, 'agentId' | 'kind'>,
  message: Message,
  notify: readonly string[] = [],
): Promise<AppendedEvent> {
  const ended = { type: 'channel.message.edit', message } as const;
  const event = group.append(channel, sender, ended, { messageId: message.id, notify });
  await group.db
    .updateTable('messages')
    .set({ text_seq: channel.head })
    .where((eb) => eb.and({ channel_id: channel.id, seq: message.seq }))
    .execute();
  await removeStream(group.db, message.id);
  return event;
}

import { refuse, type Actor, type Refusal } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { dbOf } from './decision.ts';

/** The log row of an earlier command with the same clientMessageId; a refusal if that was another command. */
export async function findRepeat(
  group: GroupState,
  channelId: string,
  actor: Actor,
  clientMessageId: string | null,
  print: string,
): Promise<{ readonly ok: true; readonly seq: number } | Refusal | null> {
  const channel = group.channel(channelId);
  if (clientMessageId === null || !channel || channel.deleted_at !== null) return null;
  const row = await dbOf(group)
    .selectFrom('log')
    .select(['seq', 'fingerprint'])
    .where('channel_id', '=', channelId)
    .where('sender_id', '=', actor.agentId)
    .where('client_message_id', '=', clientMessageId)
    .executeTakeFirst();
  if (!row) return null;
  return row.fingerprint === print
    ? { ok: true, seq: row.seq }
    : refuse('conflict', 'the clientMessageId was used for something else');
}

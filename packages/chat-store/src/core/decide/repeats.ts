import { hash } from 'node:crypto';
import { refuse, type Actor, type Refusal } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { isOutOfBounds } from '../rights.ts';

export function fingerprint(method: string, ...content: readonly unknown[]): string {
  return hash('sha256', JSON.stringify([method, ...content]), 'base64url');
}

/**
 * A command with a known clientMessageId is a repeat. It is refused if its content differs from the first one's.
 * Membership is not checked, because the answer contains nothing newer than the first call.
 */
export async function findRepeat(
  group: GroupState,
  channelId: string,
  actor: Actor,
  clientMessageId: string | null,
  print: string,
): Promise<{ readonly ok: true; readonly seq: number } | Refusal | null> {
  if (isOutOfBounds(actor, channelId)) {
    return refuse('forbidden', `the token is not for channel ${channelId}`);
  }
  const channel = group.channel(channelId);
  if (clientMessageId === null || !channel || channel.deleted_at !== null) return null;
  const row = await group.db
    .selectFrom('log')
    .select(['seq', 'fingerprint'])
    .where((eb) =>
      eb.and({
        channel_id: channelId,
        sender_id: actor.agentId,
        client_message_id: clientMessageId,
      }),
    )
    .executeTakeFirst();
  if (!row) return null;
  return row.fingerprint === print
    ? { ok: true, seq: row.seq }
    : refuse('conflict', 'the clientMessageId was already used with other content');
}

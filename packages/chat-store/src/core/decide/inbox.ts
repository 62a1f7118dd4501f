import { inboxReasons, type InboxReason } from '@openclaw/protocol/wire';
import type { Actor, AppendedEvent } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import type { Prefetched } from '../prefetch.ts';
import { everyone, type ChannelWithHead } from '../tables.ts';

export interface InboxItem {
  readonly agentId: string;
  readonly reason: InboxReason;
  readonly askId?: string | null;
  readonly questionId?: string | null;
}

/**
 * Puts an appended event into inboxes, at most once into each. If a decision calls this function twice for one event,
 * the item keeps the reason that comes first in {@link inboxReasons}. The sender of the event gets no item. Rights are
 * checked when an agent reads, not here. `messageSeq` is the seq of the message's creation, if that was an earlier
 * event.
 */
export function addInboxItems(
  group: GroupState,
  { id: channelId }: Pick<ChannelWithHead, 'id'>,
  appended: AppendedEvent,
  items: readonly InboxItem[],
  messageSeq: number | null = null,
): void {
  const { seq, senderId } = appended.event;
  if (seq === null) throw new Error('an event without a seq is in no inbox');
  const inboxes = new Set(appended.inboxes);
  for (const { agentId, reason, askId = null, questionId = null } of items) {
    if (agentId === senderId) continue;
    inboxes.add(agentId);
    const given = { reason, ask_id: askId, question_id: questionId };
    const known = group.inboxItem(agentId, channelId, seq);
    if (!known) {
      const place = { agent_id: agentId, channel_id: channelId, seq };
      group.addInboxItem({ ...place, message_seq: messageSeq ?? seq, ...given });
    } else if (inboxReasons.indexOf(reason) < inboxReasons.indexOf(known.reason)) {
      Object.assign(known, given);
    }
  }
  if (inboxes.size > 0) appended.inboxes = [...inboxes];
}

/** A join renews at most this many items. Older items keep their places. */
const renewedMax = 1_000;

/**
 * Gives the channel's items in an inbox new places when the agent joins the channel again. No read has shown these
 * items since the agent left, so an earlier cursor must not cover them.
 */
export async function renewInboxItems(
  group: GroupState,
  channelId: string,
  agentId: string,
): Promise<void> {
  const items = await group.db
    .selectFrom('inbox')
    .selectAll()
    .where((eb) => eb.and({ agent_id: agentId, channel_id: channelId }))
    .orderBy('id', 'desc')
    .limit(renewedMax)
    .execute();
  if (items.length === 0) return;
  const places = items.map(({ id }) => id);
  await group.db.deleteFrom('inbox').where('id', 'in', places).execute();
  for (const { id: _old, ...item } of items.reverse()) group.addInboxItem(item);
}

interface Replying {
  readonly actor: Pick<Actor, 'agentId'>;
  readonly params: { readonly replyTo: string | null };
}

interface Addressing {
  readonly notified: readonly string[];
  readonly mentionsAll: boolean;
  readonly threadId: string | null;
}

/**
 * Puts a new message, or one that has just stopped growing, into the inboxes of the agents that it mentions,
 * addresses or answers.
 */
export function addMessageToInboxes(
  group: GroupState,
  prefetched: Prefetched,
  { actor, params }: Replying,
  channel: ChannelWithHead,
  appended: AppendedEvent,
  { notified, mentionsAll, threadId }: Addressing,
  messageSeq: number | null = null,
): void {
  const items: InboxItem[] = [];
  // The item for everyone gets the lower place, so that an acknowledgement of the agent's own item covers both.
  if (mentionsAll) items.push({ agentId: everyone, reason: 'mention' });
  for (const agentId of notified) items.push({ agentId, reason: 'mention' });
  for (const agentId of channel.pair?.split('\n') ?? []) items.push({ agentId, reason: 'direct' });
  for (const messageId of [params.replyTo, threadId]) {
    const answered = messageId ? prefetched.message(actor.agentId, messageId) : undefined;
    // An author that has left could neither read nor acknowledge the item, and many such items would push out others.
    if (answered?.by_member !== 1) continue;
    // A mention of everyone also mentions the author.
    items.push({ agentId: answered.sender_id, reason: mentionsAll ? 'mention' : 'reply' });
  }
  addInboxItems(group, channel, appended, items, messageSeq);
}

import { inboxReasons, type InboxReason } from '@openclaw/protocol/wire';
import type { Actor, AppendedEvent } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import type { Prefetched } from '../prefetch.ts';
import { everyone, type ChannelWithHead } from '../tables.ts';

/** An agent whose inbox gets an event, and why. */
export interface InboxItem {
  readonly agentId: string;
  readonly reason: InboxReason;
  readonly askId?: string | null;
  readonly questionId?: string | null;
}

/**
 * Puts an appended event into inboxes, each agent's once: the reason that comes first in {@link inboxReasons} stands,
 * also when this is called again for the same event in the same decision. The event's own sender gets none. The rights
 * of the agents are not asked here but when they read. `messageSeq` is the seq of the event's message, if the message
 * was created by an earlier event.
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

/** The most items that a join renews. Further ones keep their places. */
const renewedMax = 1_000;

/**
 * Gives the items that an agent left behind in a channel new places, because it joins again: no read has shown them since
 * it left, so a cursor from before must not cover them.
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

/** The parts of a send that decide whose message it answers. */
interface Replying {
  readonly actor: Pick<Actor, 'agentId'>;
  readonly params: { readonly replyTo: string | null };
}

/** The agents that a new message addresses. */
interface Addressing {
  /** The members that the message mentions, without its sender. */
  readonly notified: readonly string[];
  readonly mentionsAll: boolean;
  readonly threadId: string | null;
}

/**
 * Puts a message that is being sent, or that has ceased to grow, into the inboxes of the agents that it mentions, is
 * sent to, or answers.
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
  // The item of everyone gets the lower place, so that an acknowledgement of the agent's own item covers it too.
  if (mentionsAll) items.push({ agentId: everyone, reason: 'mention' });
  for (const agentId of notified) items.push({ agentId, reason: 'mention' });
  for (const agentId of channel.pair?.split('\n') ?? []) items.push({ agentId, reason: 'direct' });
  for (const messageId of [params.replyTo, threadId]) {
    const author = messageId && prefetched.message(actor.agentId, messageId)?.sender_id;
    // A message that mentions everyone mentions the author too.
    if (author) items.push({ agentId: author, reason: mentionsAll ? 'mention' : 'reply' });
  }
  addInboxItems(group, channel, appended, items, messageSeq);
}

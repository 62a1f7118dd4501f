import { appendedText, isContentTooLarge } from '@openclaw/protocol/wire';
import type { Message } from '@openclaw/protocol';
import { refuse, refuseWith, type Actor, type CommandOf } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { ledgerRowOf } from '../ledger.ts';
import { collectPrefetch, indexPrefetched, type Prefetched } from '../prefetch.ts';
import { refuseGrown } from '../streams.ts';
import { everyone, type ChannelWithHead } from '../tables.ts';
import { accepted, type DecideAuthorized } from './decision.ts';
import { addMessageToInboxes } from './inbox.ts';
import { logEnd } from './interruptions.ts';
import { mentionsOf, parsedOf, prefetchMentions } from './mentions.ts';
import { findMessage } from './messages.ts';

/** Ends a growing or interrupted message by one edit with its whole text. Only the author may call it. */
export const finishMessage: DecideAuthorized<'message.finish'> = async (group, command) => {
  const { actor, channel, params } = command;
  if (params.content !== null && isContentTooLarge(params.content))
    return refuse('too_large', 'the content is too long');
  const found = await findMessage(group, channel, params.messageId);
  if (!found.ok) return found;
  const { message, textSeq } = found;
  if (message.senderId !== actor.agentId)
    return refuse('forbidden', 'only its author may finish a message');
  if (message.deletedAt !== null) return refuseGrown(message);
  const isOpen = message.state === 'streaming' || message.state === 'interrupted';
  if (!isOpen) {
    return isSameEnd(message, params) ? accepted({ seq: textSeq }) : refuseGrown(message);
  }
  const stored = message.state === 'streaming' ? withUnsaved(message, actor) : message.content;
  const content = params.content ?? stored;
  if (params.content === null && params.length !== null && params.length > stored.length)
    return refuseWith(
      'conflict',
      `the hub has only ${stored.length} code units of the text: send all of it as content`,
      { length: stored.length, state: message.state },
    );

  const given = params.mentions ?? message.mentions;
  const replyTo = message.replyTo ?? null;
  const answered = [replyTo, message.threadId];
  const mentioning = mentioningIn(command, content);
  const prefetched = await prefetchFinish(group, mentioning, [given, answered]);
  const { mentions, mentionsAll } = mentionsOf(prefetched, mentioning, given);
  const metadata = params.metadata ?? message.metadata;
  const finished: Message = {
    ...message,
    ...{ state: params.state, content, mentions, metadata },
    ...(mentionsAll && { mentionsAll }),
  };
  const notify = mentions.filter(
    (to) => to !== actor.agentId && prefetched.role(channel.id, to) !== null,
  );
  const event = await logEnd(group, channel, actor, finished, notify);
  const seq = channel.head;
  const place = { channel_id: channel.id, thread_id: message.threadId, agent_id: actor.agentId };
  const turn = ledgerRowOf(place, metadata, group.nowMs);
  if (turn) group.addTurn(turn);
  // A reader may already have read past the beginning of the message. The mention has the seq of the end, so that this
  // reader gets the mention too.
  if (mentionsAll) group.addMention({ agent_id: everyone, channel_id: channel.id, seq });
  for (const agent_id of notify) group.addMention({ agent_id, channel_id: channel.id, seq });
  const addressing = { notified: notify, mentionsAll, threadId: message.threadId };
  const sent = { actor, params: { replyTo } };
  addMessageToInboxes(group, prefetched, sent, channel, event, addressing, message.seq);
  // Agents whom the message mentioned when it began were counted then, so they are left out here.
  const addressed = mentions.filter((to) => to !== actor.agentId && !message.mentions.includes(to));
  return actor.kind === 'agent' && addressed.length > 0
    ? { ...accepted({ seq }, event), addressed }
    : accepted({ seq }, event);
};

/** The text plus what the author has appended on this hub since the last checkpoint. */
function withUnsaved({ id, content }: Message, { unsaved }: Actor): string {
  if (unsaved?.messageId !== id) return content;
  return appendedText(content, unsaved.from, unsaved.text) ?? content;
}

function isSameEnd(message: Message, params: CommandOf<'message.finish'>['params']): boolean {
  const { state, content, length } = params;
  if (message.state !== state || message.editedAt !== null) return false;
  return content === null ? (length ?? 0) <= message.content.length : content === message.content;
}

type Finish = CommandOf<'message.finish'> & { readonly channel: ChannelWithHead };

function mentioningIn({ actor, channel, params }: Finish, content: string) {
  const parsed = parsedOf({ content, parseMentions: params.parseMentions });
  return { actor, channelId: channel.id, parsed };
}

async function prefetchFinish(
  group: GroupState,
  mentioning: ReturnType<typeof mentioningIn>,
  [given, answered]: readonly [readonly string[], readonly (string | null)[]],
): Promise<Prefetched> {
  const { channelId } = mentioning;
  const { agentId } = mentioning.actor;
  const collected = collectPrefetch();
  collected.member(channelId, agentId);
  for (const mentioned of given) collected.member(channelId, mentioned);
  prefetchMentions(collected, mentioning);
  for (const messageId of answered) if (messageId !== null) collected.message(agentId, messageId);
  return indexPrefetched(await group.prefetch(collected.toPrefetch()));
}

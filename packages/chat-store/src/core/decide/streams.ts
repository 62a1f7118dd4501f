import { appendedText, isContentTooLarge } from '@openclaw/protocol/wire';
import type { Message } from '@openclaw/protocol';
import { refuse, type Actor, type CommandOf } from '../../commands.ts';
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
  if (message.deletedAt !== null) return refuse('conflict', 'the message was deleted');
  const isOpen = message.state === 'streaming' || message.state === 'interrupted';
  if (!isOpen) {
    return isSameEnd(message, params)
      ? accepted({ seq: textSeq })
      : refuseGrown(message.content.length, message.state);
  }
  const stored = message.state === 'streaming' ? withUnsaved(message, actor) : message.content;
  const content = params.content ?? stored;
  if (params.content === null && params.length !== null && params.length > stored.length)
    return refuseGrown(stored.length, message.state);

  const given = params.mentions ?? message.mentions;
  const replyTo = message.replyTo ?? null;
  const answered = [replyTo, message.threadId];
  const prefetched = await prefetchFinish(group, command, content, [given, answered]);
  const { mentions, mentionsAll } = mentionsOf(prefetched, mentioningIn(command, content), given);
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
  // The mention has the seq of the end, so that it reaches readers who have already read the first event.
  if (mentionsAll) group.addMention({ agent_id: everyone, channel_id: channel.id, seq });
  for (const agent_id of notify) group.addMention({ agent_id, channel_id: channel.id, seq });
  const addressing = { notified: notify, mentionsAll, threadId: message.threadId };
  const sent = { actor, params: { replyTo } };
  addMessageToInboxes(group, prefetched, sent, channel, event, addressing, message.seq);
  return accepted({ seq }, event);
};

/** The text with the unsaved rest, which the author appended on this hub after the last checkpoint. */
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
  command: Finish,
  content: string,
  [given, answered]: readonly [readonly string[], readonly (string | null)[]],
): Promise<Prefetched> {
  const { agentId } = command.actor;
  const channelId = command.channel.id;
  const collected = collectPrefetch();
  collected.member(channelId, agentId);
  for (const mentioned of given) collected.member(channelId, mentioned);
  prefetchMentions(collected, mentioningIn(command, content));
  for (const messageId of answered) if (messageId !== null) collected.message(agentId, messageId);
  return indexPrefetched(await group.prefetch(collected.toPrefetch()));
}

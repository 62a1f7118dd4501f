import type { Message } from '@openclaw/protocol';
import { canonicalEmoji } from '@openclaw/protocol/wire';
import { refuse } from '../../commands.ts';
import { accepted, type DecideAuthorized } from './decision.ts';
import { findMessage } from './messages.ts';

/** The most reactions to one message. The limit exists because a page of the history has all of them. */
export const reactionsMax = 1000;

/** Earlier releases stored reactions as they were sent, so several spellings may mean one emoji. */
function spellingsOf(reactions: Message['reactions'], emoji: string): string[] {
  return Object.keys(reactions).filter((stored) => canonicalEmoji(stored) === emoji);
}

function ownSpelling(
  reactions: Message['reactions'],
  emoji: string,
  agentId: string,
): string | undefined {
  return spellingsOf(reactions, emoji).find((stored) => reactions[stored]?.includes(agentId));
}

/** If the agent repeats a reaction, nothing changes. */
export const addReaction: DecideAuthorized<'reaction.add'> = async (group, command) => {
  const { actor, channel, params } = command;
  const { messageId } = params;
  const { agentId } = actor;
  const found = await findMessage(group, channel, messageId);
  if (!found.ok) return found;
  const { deletedAt, reactions } = found.message;
  const [emoji = params.emoji] = spellingsOf(reactions, params.emoji);
  if (deletedAt !== null) return refuse('conflict', 'the message was deleted');
  if (ownSpelling(reactions, params.emoji, agentId) !== undefined)
    return accepted({ seq: null, changed: false });
  if (Object.values(reactions).flat().length >= reactionsMax) {
    return refuse('conflict', `the message has ${reactionsMax} reactions`);
  }
  const added = { type: 'channel.reaction.add', messageId, agentId, emoji } as const;
  const event = group.append(channel, actor, added, { messageId });
  await group.db
    .insertInto('reactions')
    .values({ message_id: messageId, emoji, agent_id: agentId, seq: channel.head })
    .execute();
  return accepted({ seq: channel.head, changed: true }, event);
};

/** Removes only the caller's own reaction. */
export const removeReaction: DecideAuthorized<'reaction.remove'> = async (group, command) => {
  const { actor, channel, params } = command;
  const { messageId } = params;
  const { agentId } = actor;
  const found = await findMessage(group, channel, messageId);
  if (!found.ok) return found;
  const emoji = ownSpelling(found.message.reactions, params.emoji, agentId);
  if (emoji === undefined) return accepted({ seq: null, changed: false });
  await group.db
    .deleteFrom('reactions')
    .where((eb) => eb.and({ message_id: messageId, emoji, agent_id: agentId }))
    .execute();
  const removed = { type: 'channel.reaction.remove', messageId, agentId, emoji } as const;
  const event = group.append(channel, actor, removed, { messageId });
  return accepted({ seq: channel.head, changed: true }, event);
};

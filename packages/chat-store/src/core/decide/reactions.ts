import { refuse } from '../../commands.ts';
import { accepted, type DecideAuthorized } from './decision.ts';
import { findMessage } from './messages.ts';

/** The most reactions of a message, because each history page carries them. */
export const reactionsMax = 1000;

/** Adding the same reaction again changes nothing. */
export const addReaction: DecideAuthorized<'reaction.add'> = async (group, command) => {
  const { actor, channel, params } = command;
  const { emoji, messageId } = params;
  const { agentId } = actor;
  const found = await findMessage(group, channel, messageId);
  if (!found.ok) return found;
  const { deletedAt, reactions } = found.message;
  if (deletedAt !== null) return refuse('conflict', 'the message was deleted');
  if (reactions[emoji]?.includes(agentId)) return accepted({ seq: null, changed: false });
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
  const { emoji, messageId } = params;
  const { agentId } = actor;
  const found = await findMessage(group, channel, messageId);
  if (!found.ok) return found;
  if (!found.message.reactions[emoji]?.includes(agentId)) {
    return accepted({ seq: null, changed: false });
  }
  await group.db
    .deleteFrom('reactions')
    .where((eb) => eb.and({ message_id: messageId, emoji, agent_id: agentId }))
    .execute();
  const removed = { type: 'channel.reaction.remove', messageId, agentId, emoji } as const;
  const event = group.append(channel, actor, removed, { messageId });
  return accepted({ seq: channel.head, changed: true }, event);
};

import { refuse } from '../../commands.ts';
import { dbOf, accepted, loadAuthorized, type Decide } from './decision.ts';
import { findMessage } from './messages.ts';

/** The most reactions of a message, because each history page carries them. */
export const reactionsMax = 1000;

/** Adding the same reaction again changes nothing. */
export const addReaction: Decide<'reaction.add'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'member');
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  const found = await findMessage(group, channel, params.messageId);
  if (!found.ok) return found;
  const { message } = found;
  if (message.deletedAt !== null) return refuse('conflict', 'the message was deleted');
  if (message.reactions[params.emoji]?.includes(actor.agentId)) {
    return accepted({ seq: null, changed: false });
  }
  if (Object.values(message.reactions).flat().length >= reactionsMax) {
    return refuse('conflict', `the message has ${reactionsMax} reactions`);
  }
  const { emoji } = params;
  const event = group.append(channel, {
    sender: actor,
    messageId: message.id,
    event: () => ({
      type: 'channel.reaction.add',
      channelId: channel.id,
      messageId: message.id,
      agentId: actor.agentId,
      emoji,
    }),
  });
  await dbOf(group)
    .insertInto('reactions')
    .values({ message_id: message.id, emoji, agent_id: actor.agentId, seq: channel.head })
    .execute();
  return accepted({ seq: channel.head, changed: true }, event);
};

/** Removes only the caller's own reaction. */
export const removeReaction: Decide<'reaction.remove'> = async (group, { actor, params }) => {
  const loaded = await loadAuthorized(group, actor, params.channelId, 'member');
  if (!loaded.ok) return loaded;
  const { channel } = loaded;
  const found = await findMessage(group, channel, params.messageId);
  if (!found.ok) return found;
  const { emoji, messageId } = params;
  if (!found.message.reactions[emoji]?.includes(actor.agentId)) {
    return accepted({ seq: null, changed: false });
  }
  await dbOf(group)
    .deleteFrom('reactions')
    .where('message_id', '=', messageId)
    .where('emoji', '=', emoji)
    .where('agent_id', '=', actor.agentId)
    .execute();
  const event = group.append(channel, {
    sender: actor,
    messageId,
    event: () => ({
      type: 'channel.reaction.remove',
      channelId: channel.id,
      messageId,
      agentId: actor.agentId,
      emoji,
    }),
  });
  return accepted({ seq: channel.head, changed: true }, event);
};

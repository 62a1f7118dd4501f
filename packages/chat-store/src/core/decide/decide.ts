import type { Command, Outcome, WriteMethod } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { archiveChannel, createChannel, deleteChannel, updateChannel } from './channels.ts';
import { emitCollaboration } from './collaboration.ts';
import type { Decide } from './decision.ts';
import { addMember, joinChannel, leaveChannel, removeMember, updateMember } from './members.ts';
import { deleteMessage, editMessage } from './messages.ts';
import { addReaction, removeReaction } from './reactions.ts';
import { markRead } from './read-mark.ts';
import { createThread, updateThread } from './threads.ts';

type SingleMethod = Exclude<WriteMethod, 'message.send' | 'direct.send'>;

/** A command that is decided separately, with its own statements. */
export type SingleCommand = Extract<Command, { method: SingleMethod }>;

const decisions: { readonly [M in SingleMethod]: Decide<M> } = {
  'channel.create': createChannel,
  'channel.update': updateChannel,
  'channel.archive': archiveChannel,
  'channel.delete': deleteChannel,
  'channel.join': joinChannel,
  'channel.leave': leaveChannel,
  'member.add': addMember,
  'member.remove': removeMember,
  'member.update': updateMember,
  'message.edit': editMessage,
  'message.delete': deleteMessage,
  'reaction.add': addReaction,
  'reaction.remove': removeReaction,
  'thread.create': createThread,
  'thread.update': updateThread,
  'collaboration.emit': emitCollaboration,
  'read.mark': markRead,
};

export function decide(group: GroupState, command: SingleCommand): Promise<Outcome> {
  return (decisions[command.method] as Decide<SingleMethod>)(group, command);
}

import type { ParamsOf } from '@openclaw/protocol';
import type { Command, CommandOf, Outcome, WriteMethod } from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import type { Needs } from '../rights.ts';
import { answerAsk, createAsk } from './asks.ts';
import { setBudget } from './budgets.ts';
import {
  archiveChannel,
  createChannel,
  deleteChannel,
  unarchiveChannel,
  updateChannel,
} from './channels.ts';
import { claimThread, releaseClaim } from './claims.ts';
import { emitCollaboration } from './collaboration.ts';
import { loadAuthorized, type Decide, type DecideAuthorized } from './decision.ts';
import { liftFreeze, refusalOfFrozen, setFreeze } from './freezes.ts';
import { acknowledgeInbox } from './inbox-ack.ts';
import { addMember, joinChannel, leaveChannel, removeMember, updateMember } from './members.ts';
import { deleteMessage, editMessage } from './messages.ts';
import { answerQuestion, cancelQuestion, openQuestion } from './questions.ts';
import { addReaction, removeReaction } from './reactions.ts';
import { markRead } from './read-mark.ts';
import { finishMessage } from './streams.ts';
import { createThread, updateThread } from './threads.ts';

type SingleMethod = Exclude<WriteMethod, 'message.send' | 'direct.send'>;

export type SingleCommand = Extract<Command, { method: SingleMethod }>;

type ChannelMethod = {
  [M in SingleMethod]: ParamsOf<M> extends { channelId: string } ? M : never;
}[SingleMethod];

type From<M extends WriteMethod> = Needs['from'] | ((command: CommandOf<M>) => Needs['from']);

/** Methods that a freeze does not stop, or that look for a repeat before they check the freeze. */
const evenFrozen: ReadonlySet<WriteMethod> = new Set([
  'read.mark',
  'thread.create',
  'question.open',
]);

const authorizedIn =
  <M extends ChannelMethod>(
    from: From<M>,
    inArchived: boolean,
    decideAuthorized: DecideAuthorized<M>,
  ): Decide<M> =>
  async (group, command) => {
    const needs = { from: typeof from === 'function' ? from(command) : from, inArchived };
    const { channelId } = command.params;
    const loaded = await loadAuthorized(group, command.actor, channelId, needs);
    if (!loaded.ok) return loaded;
    const frozen = evenFrozen.has(command.method)
      ? null
      : refusalOfFrozen(command.actor, loaded.channel);
    return frozen ?? decideAuthorized(group, { ...command, ...loaded });
  };

/** Refuses an archived channel. */
const inChannel = <M extends ChannelMethod>(from: From<M>, decideIn: DecideAuthorized<M>) =>
  authorizedIn(from, false, decideIn);

const evenArchived = <M extends ChannelMethod>(from: From<M>, decideIn: DecideAuthorized<M>) =>
  authorizedIn(from, true, decideIn);

const decisions: { readonly [M in SingleMethod]: Decide<M> } = {
  'channel.create': createChannel,
  'channel.update': inChannel('owner', updateChannel),
  'channel.archive': evenArchived('owner', archiveChannel),
  'channel.unarchive': evenArchived('owner', unarchiveChannel),
  'channel.delete': evenArchived('owner', deleteChannel),
  'channel.join': evenArchived('anyone', joinChannel),
  'channel.leave': evenArchived('member', leaveChannel),
  'member.add': inChannel('owner', addMember),
  // Any member may remove itself.
  'member.remove': evenArchived(
    ({ actor, params }) => (params.agentId === actor.agentId ? 'member' : 'owner'),
    removeMember,
  ),
  // A member may change its own display name, but only owners change roles.
  'member.update': inChannel(
    ({ actor, params }) =>
      params.agentId === actor.agentId && params.role === undefined ? 'member' : 'owner',
    updateMember,
  ),
  'message.edit': inChannel('member', editMessage),
  'message.finish': inChannel('member', finishMessage),
  // Text must be removable from an archived channel too.
  'message.delete': evenArchived('member', deleteMessage),
  'reaction.add': inChannel('member', addReaction),
  'reaction.remove': inChannel('member', removeReaction),
  'thread.create': evenArchived('member', createThread),
  'thread.update': inChannel('member', updateThread),
  'ask.create': createAsk,
  'ask.accept': answerAsk,
  'ask.decline': answerAsk,
  'ask.done': answerAsk,
  'question.open': evenArchived('member', openQuestion),
  'question.answer': answerQuestion,
  'question.cancel': cancelQuestion,
  claim: inChannel('member', claimThread),
  'claim.release': inChannel('member', releaseClaim),
  'budget.set': inChannel('member', setBudget),
  freeze: setFreeze,
  unfreeze: liftFreeze,
  'collaboration.emit': emitCollaboration,
  'read.mark': evenArchived('member', markRead),
  'inbox.ack': acknowledgeInbox,
};

export function decide(group: GroupState, command: SingleCommand): Promise<Outcome> {
  return (decisions[command.method] as Decide<SingleMethod>)(group, command);
}

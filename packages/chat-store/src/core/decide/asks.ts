import {
  refuse,
  refuseWith,
  type Actor,
  type AppendedEvent,
  type CommandOf,
  type Outcome,
} from '../../commands.ts';
import { isKnownAgent } from '../agents.ts';
import { askOf, loadAsks, refuseUnknown, setAskState, type LoadedAsk } from '../asks.ts';
import type { GroupState } from '../group-state.ts';
import { collectPrefetch, indexPrefetched } from '../prefetch.ts';
import type { ChannelWithHead } from '../tables.ts';
import { accepted, loadPlaced, type Decide } from './decision.ts';
import { openDirectChannels } from './direct-channels.ts';
import { refusalOfFrozen } from './freezes.ts';
import { addInboxItems } from './inbox.ts';
import { decideSend, directChannelId, mayAnswerAsk, prefetchFor, type Send } from './send.ts';

// An ask is a message with further rows for its addressees and its deadline.

const hub: Pick<Actor, 'agentId' | 'kind'> = { agentId: 'hub', kind: 'hub' };

/**
 * The most asks that one message accepts. Without a limit, an agent with many open asks in a thread would hold the
 * channel's lock for long with its next message.
 */
const acceptedMax = 100;

export const createAsk: Decide<'ask.create'> = async (group, command) => {
  const { actor, params } = command;
  const { agentId, deadlineMs } = params;
  const to = agentId === null ? params.to : [agentId];
  if (to.includes(actor.agentId)) return refuse('forbidden', 'an agent does not ask itself');
  const send = sendOfAsk(command, to);
  const { channelId } = send;
  if (agentId !== null && !group.channel(channelId) && !(await isKnownAgent(group, agentId))) {
    return refuseUnknown([agentId]);
  }
  const prefetch = async () => indexPrefetched(await group.prefetch(prefetchFor([send])));
  let prefetched = await prefetch();
  const opened = await openDirectChannels(group, prefetched, [send]);
  if (opened.size > 0) prefetched = await prefetch();
  const outcome = decideSend(group, prefetched, send);
  if (!outcome.ok) return outcome;
  const { result } = outcome;
  const { messageId: askId, seq, timestamp } = result;
  // The hub replaces these states, because it knows the agents' connections.
  const deliveries = to.map((id) => ({ agentId: id, state: 'away' as const }));
  const answer = {
    ...outcome,
    result: { ...result, channelId, askId, deliveries, degraded: false },
  };
  if (result.duplicate) {
    // A sender that was removed since it created the ask does not learn who is connected.
    const isReader = actor.isAdmin || prefetched.role(channelId, actor.agentId) !== null;
    return isReader ? answer : { ...answer, result: { ...answer.result, deliveries: [] } };
  }
  const ofAsk = { thread_id: params.threadId ?? askId, sender_id: actor.agentId };
  const deadline = timestamp + deadlineMs;
  await group.db
    .insertInto('asks')
    .values({
      ...{ id: askId, channel_id: channelId, seq, ...ofAsk },
      ...{ deadline_at: deadline, due_at: deadline },
    })
    .execute();
  const channel = group.channel(channelId);
  const [message] = outcome.events;
  if (channel && message) {
    const items = to.map((id) => ({ agentId: id, reason: 'ask' as const, askId }));
    addInboxItems(group, channel, message, items);
  }
  const open = { ask_id: askId, ...ofAsk, state: 'open', note: null } as const;
  await group.db
    .insertInto('ask_addressees')
    .values(to.map((agent_id, position) => ({ ...open, agent_id, position })))
    .execute();
  if (!channel || !mayAnswerAsk(prefetched, send)) return answer;
  // An addressee accepts an ask by any message in its thread. A new ask there is such a message.
  const { threadId } = params;
  const acceptances = await acceptByMessage(group, channel, actor, { replyTo: null, threadId });
  return { ...answer, events: [...answer.events, ...acceptances] };
};

function sendOfAsk({ actor, params }: CommandOf<'ask.create'>, to: readonly string[]): Send {
  const { agentId, content, clientMessageId, metadata, threadId, mentions, deadlineMs } = params;
  const common = {
    ...{ content, stream: false, clientMessageId, metadata, parseMentions: null },
    ...{ replyTo: null, cause: [], taint: [], basedOn: null },
  };
  const ask = { to, deadlineMs };
  if (agentId !== null) {
    const channelId = directChannelId(actor.agentId, agentId);
    const direct = { ...common, agentId };
    return { actor, method: 'direct.send', params: direct, channelId, parsed: null, ask };
  }
  const channelId = params.channelId ?? '';
  const message = { ...common, channelId, threadId, mentions, fence: null };
  return { actor, method: 'message.send', params: message, channelId, parsed: null, ask };
}

const answers = {
  'ask.accept': 'accepted',
  'ask.decline': 'declined',
  'ask.done': 'done',
} as const;

/** If an addressee repeats an answer, nothing changes, and the result has the note of its first answer. */
export const answerAsk = async (
  group: GroupState,
  command: CommandOf<keyof typeof answers>,
): Promise<Outcome<keyof typeof answers>> => {
  const { actor, method, params } = command;
  const { askId, note } = params;
  const unknown = `there is no ask ${askId}`;
  const placed = await loadPlaced(group, command, unknown);
  if (!placed.ok) return placed;
  const frozen = refusalOfFrozen(actor, placed.channel);
  if (frozen) return frozen;
  const [ask] = await loadAsks(group.db, [askId]);
  if (!ask) return refuse('not_found', unknown);
  const own = ask.addressees.find(({ agent_id }) => agent_id === actor.agentId);
  if (!own) return refuse('forbidden', 'only its addressees answer an ask');
  const state = answers[method];
  if (own.state === state) return accepted({ ask: askOf(ask) });
  const isInTime = own.state === 'open' && group.nowMs < ask.deadline_at;
  if (!isInTime && !(state === 'done' && own.state === 'accepted')) {
    const reason = own.state === 'open' ? 'its deadline has passed' : `it is ${own.state}`;
    return refuseWith('conflict', `the ask cannot be ${state}: ${reason}`, { ask: askOf(ask) });
  }
  await setAskState(group.db, [askId], [actor.agentId], state, note);
  const [event] = await logAnswers(group, placed.channel, actor, `ask.${state}`, [ask], note);
  const changed = { ...own, state, note };
  const addressees = ask.addressees.map((one) => (one === own ? changed : one));
  return accepted({ ask: askOf({ ...ask, addressees }) }, ...(event ? [event] : []));
};

/**
 * Accepts the open asks that a message answers: the ask that it replies to, and the asks in its thread. Costs
 * statements, so call it only for a message that may answer an ask.
 */
export async function acceptByMessage(
  group: GroupState,
  channel: ChannelWithHead,
  actor: Actor,
  { replyTo, threadId }: { readonly replyTo: string | null; readonly threadId: string | null },
): Promise<AppendedEvent[]> {
  const rows = await group.db
    .selectFrom('ask_addressees as a')
    .innerJoin('asks as k', 'k.id', 'a.ask_id')
    .select('k.id')
    .where((eb) => eb.and({ 'a.agent_id': actor.agentId, 'a.state': 'open' }))
    .where('k.channel_id', '=', channel.id)
    .where('k.deadline_at', '>', group.nowMs)
    .where((eb) =>
      eb.or([eb('a.ask_id', '=', replyTo ?? ''), eb('a.thread_id', '=', threadId ?? '')]),
    )
    .orderBy('k.id', 'desc')
    .limit(acceptedMax)
    .execute();
  const asks = await loadAsks(group.db, rows.map(({ id }) => id).reverse());
  const ids = asks.map(({ id }) => id);
  await setAskState(group.db, ids, [actor.agentId], 'accepted', null);
  return logAnswers(group, channel, actor, 'ask.accepted', asks, null);
}

async function logAnswers(
  group: GroupState,
  channel: ChannelWithHead,
  actor: Actor,
  name: `ask.${string}`,
  asks: readonly LoadedAsk[],
  note: string | null,
): Promise<AppendedEvent[]> {
  const isMember = await membersOf(group, [[channel.id, asks.flatMap(agentsOf)]]);
  const { agentId } = actor;
  return asks.map((ask) => {
    const payload = { askId: ask.id, agentId, note };
    const event = { type: 'collaboration.event', name, payload } as const;
    const notify = agentsOf(ask).filter((id) => isMember(channel.id, id));
    const appended = group.append(channel, actor, event, { notify });
    addInboxItems(group, channel, appended, [answerTo(ask)]);
    return appended;
  });
}

/**
 * Logs the expiry of asks that are due and have an open addressee, each once. Logs nothing in a deleted channel. Costs
 * the same number of statements for any number of asks. Returns the events by ask.
 */
export async function expireAsks(
  group: GroupState,
  askIds: readonly string[],
): Promise<Map<string, AppendedEvent>> {
  const asks = (await loadAsks(group.db, askIds)).filter((ask) => isDue(group, ask));
  const ids = asks.map(({ id }) => id);
  const events = new Map<string, AppendedEvent>();
  if (ids.length === 0) return events;
  await group.db
    .updateTable('ask_addressees')
    .set({ state: 'expired', note: null })
    .where('ask_id', 'in', ids)
    .where('state', '=', 'open')
    .execute();
  await group.db.updateTable('asks').set({ due_at: null }).where('id', 'in', ids).execute();
  const isMember = await membersOf(
    group,
    asks.map((ask) => [ask.channel_id, agentsOf(ask)]),
  );
  for (const ask of asks) {
    const channel = group.channel(ask.channel_id);
    const silent = ask.addressees.filter(({ state }) => state === 'open');
    // An erasure may have removed the last open addressee.
    if (silent.length === 0 || !channel || channel.deleted_at !== null) continue;
    const payload = { askId: ask.id, silent: silent.map(({ agent_id }) => agent_id) };
    const event = { type: 'collaboration.event', name: 'ask.expired', payload } as const;
    const notify = agentsOf(ask).filter((id) => isMember(channel.id, id));
    const appended = group.append(channel, hub, event, { notify });
    addInboxItems(group, channel, appended, [answerTo(ask)]);
    events.set(ask.id, appended);
  }
  return events;
}

export const isDue = ({ nowMs }: GroupState, { due_at }: { readonly due_at: number | null }) =>
  due_at !== null && due_at <= nowMs;

const answerTo = ({ id, sender_id }: LoadedAsk) =>
  ({ agentId: sender_id, reason: 'answer', askId: id }) as const;

const agentsOf = ({ sender_id, addressees }: LoadedAsk): string[] => [
  sender_id,
  ...addressees.map(({ agent_id }) => agent_id),
];

/** The returned function says whether an agent is a member. Costs one statement for all channels. */
export async function membersOf(
  group: GroupState,
  agents: readonly (readonly [channelId: string, agentIds: readonly string[]])[],
): Promise<(channelId: string, agentId: string) => boolean> {
  const { member, toPrefetch } = collectPrefetch();
  for (const [channelId, agentIds] of agents) {
    for (const agentId of agentIds) member(channelId, agentId);
  }
  const prefetched = indexPrefetched(await group.prefetch(toPrefetch()));
  return (channelId, agentId) => prefetched.role(channelId, agentId) !== null;
}

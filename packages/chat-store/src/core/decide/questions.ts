import type { Question } from '@openclaw/protocol';
import {
  refuse,
  refuseWith,
  type Actor,
  type AppendedEvent,
  type CommandOf,
  type Outcome,
  type Refusal,
} from '../../commands.ts';
import type { GroupState } from '../group-state.ts';
import { newId } from '../new-id.ts';
import {
  loadQuestions,
  optionsOf,
  questionOf,
  respondersOf,
  type LoadedQuestion,
} from '../questions.ts';
import type { ChannelWithHead, QuestionsTable } from '../tables.ts';
import { refuseNoRoot } from '../thread-root.ts';
import { isDue, membersOf } from './asks.ts';
import { accepted, loadPlaced, type Authorized, type DecideAuthorized } from './decision.ts';
import { refusalOfFrozen } from './freezes.ts';
import { addInboxItems } from './inbox.ts';
import { findRepeat, fingerprint } from './repeats.ts';

const hub: Pick<Actor, 'agentId' | 'kind'> = { agentId: 'hub', kind: 'hub' };

/**
 * The refusal of params that are wrong only in the present state of the channel. Clients get the same error as for
 * other wrong params.
 */
function refuseParams(path: string, message: string): Refusal {
  return refuseWith('conflict', `${path} ${message}`, { issues: [{ path: [path], message }] });
}

/** A repeat gets its answer in a frozen and in an archived channel too. */
export const openQuestion: DecideAuthorized<'question.open'> = async (group, command) => {
  const { actor, channel, params } = command;
  const { channelId, threadId, title, options, responders, quorum, expiresMs } = params;
  const asked = [threadId, title, options, responders, quorum, expiresMs];
  const print = fingerprint('question.open', ...asked);
  const repeat = await findRepeat(group, channelId, actor, params.clientMessageId, print);
  if (repeat && !repeat.ok) return repeat;
  if (repeat) return answerRepeat(group, channelId, repeat.seq);
  const frozen = refusalOfFrozen(actor, channel);
  if (frozen) return frozen;
  if (channel.archived_at !== null) return refuse('archived', `channel ${channelId} is archived`);
  if (threadId !== null) {
    const root = await group.db
      .selectFrom('messages')
      .select('thread_id')
      .where((eb) => eb.and({ id: threadId, channel_id: channelId }))
      .executeTakeFirst();
    if (root?.thread_id !== null) return refuseNoRoot(root, threadId);
  }
  const isMember = await membersOf(group, [[channelId, responders]]);
  const others = responders.filter((id) => !isMember(channelId, id));
  if (others.length > 0) return refuseParams('responders', `are no members: ${others.join(', ')}`);
  const expires = expiresMs === null ? null : group.nowMs + expiresMs;
  const row: QuestionsTable = {
    id: newId(group.nowMs),
    channel_id: channelId,
    // The seq of the event that is appended below.
    seq: channel.head + 1,
    thread_id: threadId,
    opened_by: actor.agentId,
    title,
    options: JSON.stringify(options),
    responders: responders.length === 0 ? null : JSON.stringify(responders),
    quorum,
    expires_at: expires,
    due_at: expires,
    state: 'open',
    option_id: null,
    text: null,
  };
  await group.db.insertInto('questions').values(row).execute();
  const { clientMessageId } = params;
  const payload = { question: questionOf({ ...row, answers: [] }) };
  const opened = { type: 'collaboration.event', name: 'question.opened', payload } as const;
  const notify = [...new Set([actor.agentId, ...responders])];
  const event = group.append(channel, actor, opened, {
    clientMessageId,
    fingerprint: print,
    notify,
  });
  const items = responders.map((agentId) => ({
    ...{ agentId, reason: 'question' as const, questionId: row.id },
  }));
  addInboxItems(group, channel, event, items);
  return accepted({ questionId: row.id, seq: channel.head, duplicate: false }, event);
};

async function answerRepeat(
  group: GroupState,
  channelId: string,
  seq: number,
): Promise<Outcome<'question.open'>> {
  const known = await group.db
    .selectFrom('questions')
    .select('id')
    .where((eb) => eb.and({ channel_id: channelId, seq }))
    .executeTakeFirst();
  return known
    ? accepted({ questionId: known.id, seq, duplicate: true })
    : refuse('conflict', 'the clientMessageId was already used for another event');
}

type ById = CommandOf<'question.answer'> | CommandOf<'question.cancel'>;

async function loadQuestion(
  group: GroupState,
  command: ById,
): Promise<({ readonly ok: true; readonly question: LoadedQuestion } & Authorized) | Refusal> {
  const { questionId } = command.params;
  const unknown = `there is no question ${questionId}`;
  const placed = await loadPlaced(group, command, unknown);
  if (!placed.ok) return placed;
  const frozen = refusalOfFrozen(command.actor, placed.channel);
  if (frozen) return frozen;
  const [question] = await loadQuestions(group.db, [questionId]);
  return question ? { ...placed, question } : refuse('not_found', unknown);
}

/**
 * A repeat of the same answer is accepted, even after the question has ended. An answer counts even if its agent has
 * left the channel since.
 */
export const answerQuestion = async (
  group: GroupState,
  command: CommandOf<'question.answer'>,
): Promise<Outcome<'question.answer'>> => {
  const { actor, params } = command;
  const { agentId } = actor;
  const { questionId, optionId, text } = params;
  const loaded = await loadQuestion(group, command);
  if (!loaded.ok) return loaded;
  const { channel, question } = loaded;
  const denied = refuseResponder(actor, question);
  if (denied) return denied;
  const options = optionsOf(question);
  if (options.length === 0 && text === null) {
    return refuseParams('text', 'is what the question asks for');
  }
  if (options.length > 0 && !options.some(({ id }) => id === optionId)) {
    return refuseParams('optionId', 'is not one of the options');
  }
  const own = question.answers.find((answer) => answer.agent_id === agentId);
  if (own && own.option_id === optionId && own.text === text) {
    return accepted({ question: questionOf(question) });
  }
  const ended = refuseEnded(group, question);
  if (ended) return ended;
  const given = { option_id: optionId, text, at: group.nowMs };
  await group.db
    .insertInto('question_answers')
    .values({ question_id: questionId, agent_id: agentId, ...given })
    .onConflict((conflict) => conflict.columns(['question_id', 'agent_id']).doUpdateSet(given))
    .execute();
  const answers = [
    ...question.answers.filter((answer) => answer !== own),
    { question_id: questionId, agent_id: agentId, ...given },
  ];
  const equal = answers.filter((answer) => answer.option_id === optionId).length;
  if (equal < question.quorum) {
    const payload = { questionId, agentId, optionId, text };
    const now = { ...question, answers };
    const notifyOf = await findConcerned(group, [now]);
    const event = log(group, channel, actor, 'question.voted', payload, notifyOf(now));
    return accepted({ question: questionOf(now) }, event);
  }
  const end = { state: 'answered', option_id: optionId, text } as const;
  const answered = await endQuestion(group, channel, actor, { ...question, answers }, end);
  return accepted({ question: questionOf(answered.question) }, answered.event);
};

function refuseResponder(actor: Actor, question: LoadedQuestion): Refusal | null {
  const responders = respondersOf(question);
  if (responders) {
    return responders.includes(actor.agentId)
      ? null
      : refuse('forbidden', 'only its named responders answer this question');
  }
  return actor.kind === 'person' && actor.agentId !== question.opened_by
    ? null
    : refuse('forbidden', 'persons answer a question, other than the one who asks');
}

function refuseEnded({ nowMs }: GroupState, question: LoadedQuestion): Refusal | null {
  const { state, expires_at } = question;
  if (state === 'open' && (expires_at === null || nowMs < expires_at)) return null;
  const reason = state === 'open' ? 'expired' : state;
  return refuseWith('conflict', `the question is ${reason}`, { question: questionOf(question) });
}

export const cancelQuestion = async (
  group: GroupState,
  command: CommandOf<'question.cancel'>,
): Promise<Outcome<'question.cancel'>> => {
  const { actor } = command;
  const loaded = await loadQuestion(group, command);
  if (!loaded.ok) return loaded;
  const { channel, role, question } = loaded;
  if (question.opened_by !== actor.agentId && role !== 'owner' && !actor.isAdmin) {
    return refuse('forbidden', 'only its opener or an owner cancels a question');
  }
  if (question.state === 'cancelled') return accepted({ question: questionOf(question) });
  const ended = refuseEnded(group, question);
  if (ended) return ended;
  const cancelled = await endQuestion(group, channel, actor, question, { state: 'cancelled' });
  return accepted({ question: questionOf(cancelled.question) }, cancelled.event);
};

/** As {@link expireAsks}, for open questions. */
export async function expireQuestions(
  group: GroupState,
  questionIds: readonly string[],
): Promise<Map<string, AppendedEvent>> {
  const due = (await loadQuestions(group.db, questionIds)).filter((one) => isDue(group, one));
  const ids = due.map(({ id }) => id);
  const events = new Map<string, AppendedEvent>();
  if (ids.length === 0) return events;
  const end = { state: 'expired' } as const;
  await update(group, ids, { ...end, due_at: null });
  const notifyOf = await findConcerned(group, due);
  for (const before of due) {
    const channel = group.channel(before.channel_id);
    if (!channel || channel.deleted_at !== null) continue;
    events.set(before.id, logEnd(group, channel, hub, { ...before, ...end }, notifyOf(before)));
  }
  return events;
}

type End = Pick<QuestionsTable, 'state'> & Partial<Pick<QuestionsTable, 'option_id' | 'text'>>;

async function endQuestion(
  group: GroupState,
  channel: ChannelWithHead,
  sender: Pick<Actor, 'agentId' | 'kind'>,
  before: LoadedQuestion,
  end: End,
): Promise<{ readonly question: LoadedQuestion; readonly event: AppendedEvent }> {
  await update(group, [before.id], { ...end, due_at: null });
  const question = { ...before, ...end };
  const notifyOf = await findConcerned(group, [question]);
  return { question, event: logEnd(group, channel, sender, question, notifyOf(question)) };
}

function logEnd(
  group: GroupState,
  channel: ChannelWithHead,
  sender: Pick<Actor, 'agentId' | 'kind'>,
  question: LoadedQuestion,
  notify: readonly string[],
): AppendedEvent {
  const payload: { question: Question } = { question: questionOf(question) };
  const event = log(group, channel, sender, `question.${question.state}`, payload, notify);
  const { opened_by: agentId, id: questionId } = question;
  addInboxItems(group, channel, event, [{ agentId, reason: 'answer', questionId }]);
  return event;
}

async function update(
  group: GroupState,
  questionIds: readonly string[],
  change: Partial<QuestionsTable>,
): Promise<void> {
  await group.db.updateTable('questions').set(change).where('id', 'in', questionIds).execute();
}

/** Costs one statement. The returned function gives a question's opener and named responders, without non-members. */
async function findConcerned(
  group: GroupState,
  questions: readonly LoadedQuestion[],
): Promise<(question: LoadedQuestion) => string[]> {
  const concernedBy = (question: LoadedQuestion) => [
    ...new Set([question.opened_by, ...(respondersOf(question) ?? [])]),
  ];
  const isMember = await membersOf(
    group,
    questions.map((question) => [question.channel_id, concernedBy(question)]),
  );
  return (question) => concernedBy(question).filter((id) => isMember(question.channel_id, id));
}

function log(
  group: GroupState,
  channel: ChannelWithHead,
  sender: Pick<Actor, 'agentId' | 'kind'>,
  name: `question.${string}`,
  payload: Readonly<Record<string, unknown>>,
  notify: readonly string[],
): AppendedEvent {
  const event = { type: 'collaboration.event', name, payload: payload as never } as const;
  return group.append(channel, sender, event, { notify });
}

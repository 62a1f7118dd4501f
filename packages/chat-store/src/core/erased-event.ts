import type { ChannelEvent, Envelope, Message, Question } from '@openclaw/protocol';
import { isFreezeEvent, isId, isReservedName } from '@openclaw/protocol/wire';
import { redacted } from './message-projection.ts';

/** `pseudonym` replaces the id; null keeps it. */
export interface ErasedAgent {
  readonly agentId: string;
  readonly pseudonym: string | null;
}

/**
 * Empties the agent's display name, thread titles and payloads. Messages are deleted elsewhere, except an edit without
 * its message (`isOrphan`), which is emptied here. Returns the same object when nothing changed.
 */
export function erasedEnvelope(
  envelope: Envelope,
  erased: ErasedAgent,
  isOrphan: boolean,
): Envelope {
  const event = erasedEvent(envelope, erased, isOrphan);
  const senderId = renamed(envelope.senderId, erased);
  return event === envelope.event && senderId === envelope.senderId
    ? envelope
    : { ...envelope, senderId, event };
}

function erasedEvent(
  { event, senderId, timestamp }: Envelope,
  erased: ErasedAgent,
  isOrphan: boolean,
): ChannelEvent {
  const isOwn = senderId === erased.agentId;
  const emptied =
    isOrphan && 'message' in event
      ? emptiedEdit(event, erased.agentId, timestamp)
      : emptiedEvent(event, isOwn, erased.agentId);
  return erased.pseudonym === null ? emptied : renamedEvent(emptied, erased);
}

function emptiedEdit<E extends Extract<ChannelEvent, { readonly message: Message }>>(
  event: E,
  agentId: string,
  deletedAt: number,
): E {
  const { message } = event;
  if (message.senderId !== agentId || message.deletedAt !== null) return event;
  return { ...event, message: redacted(message, deletedAt) };
}

function emptiedEvent(event: ChannelEvent, isOwn: boolean, agentId: string): ChannelEvent {
  if ('member' in event) {
    const { member } = event;
    return member.agentId === agentId && member.displayName !== null
      ? { ...event, member: { ...member, displayName: null } }
      : event;
  }
  if ('thread' in event) {
    const { thread } = event;
    return (isOwn || thread.createdBy === agentId) && thread.title !== null
      ? { ...event, thread: { ...thread, title: null } }
      : event;
  }
  if (event.type !== 'collaboration.event' || isTextless(event)) return event;
  const question = questionIn(event);
  if (question) return withQuestion(event, emptiedQuestion(question, agentId));
  if (!isOwn || Object.keys(event.payload).length === 0) return event;
  if (isVote(event)) return { ...event, payload: { ...event.payload, text: null } };
  if (isAskAnswer(event)) {
    return event.payload['note'] === null
      ? event
      : { ...event, payload: { ...event.payload, note: null } };
  }
  return { ...event, payload: isFreeze(event) ? { ...event.payload, reason: '' } : {} };
}

type CollaborationEvent = Extract<ChannelEvent, { type: 'collaboration.event' }>;
type Fields = ReadonlyMap<string, (value: unknown) => boolean>;

const orNull = (check: (value: unknown) => boolean) => (value: unknown) =>
  value === null || check(value);
const claimFields: Fields = new Map([
  ['threadId', isId],
  ['agentId', isId],
  ['fence', Number.isInteger],
  ['untilMs', Number.isInteger],
  ['expired', (value: unknown) => typeof value === 'boolean'],
]);
const fieldsWithoutText: ReadonlyMap<string, Fields> = new Map([
  ['claim.granted', claimFields],
  ['claim.released', claimFields],
  [
    'budget.set',
    new Map([
      ['threadId', orNull(isId)],
      ['agentTurns', orNull(Number.isInteger)],
      ['perMinute', orNull(Number.isInteger)],
    ]),
  ],
]);

// Checks the fields too, because in earlier releases agents could emit an event of this name with any payload.
function isTextless({ name, payload }: CollaborationEvent): boolean {
  const fields = fieldsWithoutText.get(name);
  return fields !== undefined && hasOnly(payload, fields);
}

function hasOnly(payload: CollaborationEvent['payload'], fields: Fields): boolean {
  return Object.entries(payload).every(([field, value]) => fields.get(field)?.(value));
}

const askFields: Fields = new Map([
  ['askId', isId],
  ['agentId', isId],
  ['note', orNull((value: unknown) => typeof value === 'string')],
]);

function isAskAnswer({ name, payload }: CollaborationEvent): boolean {
  return name.startsWith('ask.') && hasOnly(payload, askFields);
}

const voteFields: Fields = new Map([
  ['questionId', isId],
  ['agentId', isId],
  ['optionId', orNull(isId)],
  ['text', orNull((value: unknown) => typeof value === 'string')],
]);

function isVote({ name, payload }: CollaborationEvent): boolean {
  return name === 'question.voted' && hasOnly(payload, voteFields);
}

function questionIn({ name, payload }: CollaborationEvent): Question | null {
  const { question, ...others } = payload as { readonly question?: Partial<Question> };
  const isQuestion =
    name.startsWith('question.') &&
    Object.keys(others).length === 0 &&
    typeof question === 'object' &&
    isId(question?.questionId) &&
    isId(question.openedBy) &&
    Array.isArray(question.options) &&
    Array.isArray(question.answers);
  return isQuestion ? (question as Question) : null;
}

function withQuestion(event: CollaborationEvent, question: Question): CollaborationEvent {
  return { ...event, payload: { question: question } };
}

function emptiedQuestion(question: Question, agentId: string): Question {
  const isOpener = question.openedBy === agentId;
  const isOwn = (answer: Question['answers'][number]) => answer.agentId === agentId;
  const won = question.answers.some((one) => isOwn(one) && one.text === question.text);
  return {
    ...question,
    title: isOpener ? '' : question.title,
    options: isOpener ? question.options.map((one) => ({ ...one, label: '' })) : question.options,
    text: won ? null : question.text,
    answers: question.answers.map((one) => (isOwn(one) ? { ...one, text: null } : one)),
  };
}

function renamedQuestion(question: Question, erased: ErasedAgent): Question {
  const { openedBy, responders, answers } = question;
  return {
    ...question,
    openedBy: renamed(openedBy, erased),
    responders: responders && [...new Set(responders.map((id) => renamed(id, erased)))],
    answers: answers.map((one) => ({ ...one, agentId: renamed(one.agentId, erased) })),
  };
}

const freezeFields: Fields = new Map([
  ['scope', (value: unknown) => value === 'channel'],
  ['id', isId],
  ['reason', orNull((value: unknown) => typeof value === 'string')],
]);

function isFreeze({ name, payload }: CollaborationEvent): boolean {
  return isFreezeEvent(name) && hasOnly(payload, freezeFields);
}

function renamedEvent(event: ChannelEvent, erased: ErasedAgent): ChannelEvent {
  if (!JSON.stringify(event).includes(JSON.stringify(erased.agentId))) {
    if (!('channel' in event)) return event;
  }
  if ('message' in event) return { ...event, message: renamedMessage(event.message, erased) };
  if ('member' in event) {
    const { member } = event;
    return { ...event, member: { ...member, agentId: renamed(member.agentId, erased) } };
  }
  if ('thread' in event) {
    const { thread } = event;
    return { ...event, thread: { ...thread, createdBy: renamed(thread.createdBy, erased) } };
  }
  if ('channel' in event) {
    const { channel } = event;
    const name = channel.kind === 'direct' ? renamedPair(channel.name, ', ', erased) : channel.name;
    return {
      ...event,
      channel: { ...channel, name, createdBy: renamed(channel.createdBy, erased) },
    };
  }
  if (event.type === 'collaboration.event' && isReservedName(event.name)) {
    const question = questionIn(event);
    if (question) return withQuestion(event, renamedQuestion(question, erased));
    const { agentId, silent } = event.payload;
    const payload = { ...event.payload };
    if (typeof agentId === 'string') payload['agentId'] = renamed(agentId, erased);
    if (Array.isArray(silent))
      payload['silent'] = silent.map((id) =>
        id === erased.agentId ? renamed(erased.agentId, erased) : id,
      );
    return { ...event, payload };
  }
  return 'agentId' in event ? { ...event, agentId: renamed(event.agentId, erased) } : event;
}

/** Replaces the agent's id in a message's fields, not in its text. */
export function renamedMessage(message: Message, erased: ErasedAgent): Message {
  const { senderId, mentions, reactions, origin } = message;
  // A list may already hold the pseudonym, from an earlier erasure.
  const all = (ids: readonly string[]) => [...new Set(ids.map((id) => renamed(id, erased)))];
  const changed: Message = {
    ...message,
    senderId: renamed(senderId, erased),
    mentions: all(mentions),
    reactions: Object.fromEntries(Object.entries(reactions).map(([e, ids]) => [e, all(ids)])),
  };
  const { ask } = message;
  if (ask) changed.ask = { ...ask, to: all(ask.to) };
  if (!origin?.onBehalfOf) return changed;
  return { ...changed, origin: { ...origin, onBehalfOf: renamed(origin.onBehalfOf, erased) } };
}

function renamed(id: string, { agentId, pseudonym }: ErasedAgent): string {
  return id === agentId && pseudonym !== null ? pseudonym : id;
}

/** The two ids keep their order, because the channel's id depends on it. */
export function renamedPair(pair: string, separator: string, erased: ErasedAgent): string {
  return pair
    .split(separator)
    .map((id) => renamed(id, erased))
    .join(separator);
}

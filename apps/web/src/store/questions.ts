import type { Envelope, Question } from '@openclaw/protocol';

export type Questions = ReadonlyMap<string, Question>;

/** The most questions whose changes are known. Older questions are shown as they were opened. */
const questionsMax = 2_000;

type Answer = Question['answers'][number];

/**
 * Returns null for an event of another shape: agents could emit events with these names before the hub reserved them.
 */
export function questionIn({ event }: Envelope): Question | null {
  if (event.type !== 'collaboration.event' || !event.name.startsWith('question.')) return null;
  const question = event.payload['question'] as Partial<Question> | null | undefined;
  const isWhole =
    question != null &&
    [question.questionId, question.openedBy, question.title, question.state].every(isText) &&
    [question.threadId, question.optionId, question.text].every(isTextOrNull) &&
    (question.expiresMs === null || typeof question.expiresMs === 'number') &&
    typeof question.quorum === 'number' &&
    isListOfObjects(question.options) &&
    question.options?.every(({ id, label }) => isText(id) && isText(label)) &&
    isListOfObjects(question.answers) &&
    question.answers?.every(({ agentId, optionId }) => isText(agentId) && isTextOrNull(optionId)) &&
    (question.responders === null ||
      (Array.isArray(question.responders) && question.responders.every(isText)));
  return isWhole ? (question as Question) : null;
}

const isText = (value: unknown) => typeof value === 'string';
const isListOfObjects = (value: unknown) =>
  Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null);
const isTextOrNull = (value: unknown) => value === null || isText(value);

/** A change of a question is shown in the question's card, not in a row of its own. */
export function isQuestionChange(name: string): boolean {
  return name.startsWith('question.') && name !== 'question.opened';
}

/** A known end or answer is never replaced by something older. */
export function withQuestion(questions: Questions, question: Question): Questions {
  const known = questions.get(question.questionId);
  if (known === undefined) {
    const next = new Map(questions).set(question.questionId, question);
    const [oldest] = next.keys();
    if (next.size > questionsMax && oldest !== undefined) next.delete(oldest);
    return next;
  }
  if (known.state !== 'open' && question.state === 'open') return questions;
  const answers =
    question.state === 'open' ? merged(known.answers, question.answers) : question.answers;
  return new Map(questions).set(question.questionId, { ...question, answers });
}

function merged(known: readonly Answer[], more: readonly Answer[]): Answer[] {
  const byAgent = new Map(known.map((answer) => [answer.agentId, answer]));
  for (const answer of more) {
    if ((byAgent.get(answer.agentId)?.atMs ?? 0) <= answer.atMs)
      byAgent.set(answer.agentId, answer);
  }
  return [...byAgent.values()];
}

/** Events may come twice, and older events after newer ones. A vote on an unknown question is dropped. */
export function reduceQuestions(questions: Questions, envelope: Envelope): Questions {
  const { event, timestamp } = envelope;
  if (event.type !== 'collaboration.event' || !event.name.startsWith('question.')) return questions;
  const question = questionIn(envelope);
  if (question !== null) return withQuestion(questions, question);
  const { questionId, agentId, optionId, text } = event.payload;
  if (event.name !== 'question.voted' || typeof questionId !== 'string') return questions;
  const known = questions.get(questionId);
  if (known?.state !== 'open' || typeof agentId !== 'string') return questions;
  const answer = {
    agentId,
    optionId: typeof optionId === 'string' ? optionId : null,
    text: typeof text === 'string' ? text : null,
    atMs: timestamp,
  };
  const answers = merged(known.answers, [answer]);
  return new Map(questions).set(questionId, { ...known, answers });
}

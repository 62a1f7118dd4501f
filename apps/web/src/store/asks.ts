import type { Ask, Envelope } from '@openclaw/protocol';

export type AskState = Ask['addressees'][number]['state'];

export interface AskAnswer {
  readonly state: AskState;
  readonly note: string | null;
}

/** Maps an ask's id to its answers by agentId. An addressee without an answer is absent. */
export type AskAnswers = ReadonlyMap<string, ReadonlyMap<string, AskAnswer>>;

/** Past this number, the oldest asks are shown without answers. */
const asksMax = 2_000;

/** An answer replaces only an answer of a lower rank, so events may be repeated and may come in any order. */
const ranks: Readonly<Record<AskState, number>> = {
  ...{ open: 0, accepted: 1, expired: 2, declined: 2, done: 3 },
};

const stateOf: Readonly<Record<string, AskState>> = {
  'ask.accepted': 'accepted',
  'ask.declined': 'declined',
  'ask.done': 'done',
};

/** True for an event that is shown at its ask's message, not in a row of its own. */
export function isAskChange(name: string): boolean {
  return name === 'ask.expired' || name in stateOf;
}

function withAnswer(answers: AskAnswers, askId: string, agentId: string, next: AskAnswer) {
  const known = answers.get(askId)?.get(agentId);
  if (known !== undefined && ranks[known.state] >= ranks[next.state]) return answers;
  const changed = new Map(answers).set(askId, new Map(answers.get(askId)).set(agentId, next));
  const [oldest] = changed.keys();
  if (changed.size > asksMax && oldest !== undefined) changed.delete(oldest);
  return changed;
}

export function withAsk(answers: AskAnswers, { askId, addressees }: Ask): AskAnswers {
  return addressees.reduce<AskAnswers>(
    (next, { agentId, state, note }) =>
      state === 'open' ? next : withAnswer(next, askId, agentId, { state, note }),
    answers,
  );
}

export function reduceAsks(answers: AskAnswers, { event }: Envelope): AskAnswers {
  if (event.type !== 'collaboration.event' || !isAskChange(event.name)) return answers;
  const { askId, agentId, note, silent } = event.payload;
  if (typeof askId !== 'string') return answers;
  const state = stateOf[event.name];
  if (state === undefined) {
    const agents = (Array.isArray(silent) ? silent : []).filter((id) => typeof id === 'string');
    return agents.reduce<AskAnswers>(
      (next, id) => withAnswer(next, askId, id, { state: 'expired', note: null }),
      answers,
    );
  }
  if (typeof agentId !== 'string') return answers;
  return withAnswer(answers, askId, agentId, {
    state,
    note: typeof note === 'string' ? note : null,
  });
}

/** The key is the ask's id. */
export type OpenAsks = ReadonlyMap<
  string,
  { readonly from: string; readonly to: readonly string[]; readonly deadlineMs: number }
>;

export function reduceOpenAsks(asks: OpenAsks, { event }: Envelope): OpenAsks {
  if (!('message' in event) || event.message.ask === undefined) return asks;
  const { id, senderId, ask, deletedAt } = event.message;
  const next = new Map(asks);
  next.delete(id);
  if (deletedAt === null) next.set(id, { from: senderId, ...ask });
  const [oldest] = next.keys();
  if (next.size > asksMax && oldest !== undefined) next.delete(oldest);
  return next;
}

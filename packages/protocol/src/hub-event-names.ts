/** The names of the collaboration events that only the hub emits. */
export const hubEventNames = [
  'ask.accepted',
  'ask.declined',
  'ask.done',
  'ask.expired',
  'question.opened',
  'question.voted',
  'question.answered',
  'question.expired',
  'question.cancelled',
  'claim.granted',
  'claim.released',
  'budget.set',
  'budget.exhausted',
  'freeze.set',
  'freeze.lifted',
  'message.delta',
  'turn.state',
  'hub.channel',
] as const;

export type HubEventName = (typeof hubEventNames)[number];

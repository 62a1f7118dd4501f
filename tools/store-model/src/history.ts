import type { Envelope, Message } from '@openclaw/protocol';
import type { MadeCall } from './call.ts';
import { apply, nothing, type ChannelState } from './channel-state.ts';
import { expected } from './expected.ts';

export interface History {
  readonly channelId: string;
  readonly calls: readonly MadeCall[];
  readonly log: readonly Envelope[];
}

/** A call can have taken effect after at least `from` and at most `to` events of the log. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Compares a history with the model, and returns the channel's states after 0, 1, … events. The log is the order in
 * which calls took effect. The model computes each event from its call and the state before; the logged event must be
 * equal. A call that changed nothing must have an outcome that is right in one of the states during the call. If
 * call A ended before call B began, A took effect before B. The calls of one hub take effect in the order in which they
 * began.
 * @throws {Error} that describes the first difference
 */
export function checkHistory({ channelId, calls, log }: History): readonly ChannelState[] {
  const fail = (what: string, more: unknown): never => {
    throw new Error(`${channelId}: ${what}: ${JSON.stringify(more)}`);
  };
  log.forEach((envelope, index) => {
    if (envelope.seq !== index + 1 || envelope.channelId !== channelId)
      fail(`the log has another event at ${index + 1}`, envelope);
  });

  const madeBySeq = new Map<number, MadeCall>();
  for (const made of calls) {
    const acked = ackedEvent(made);
    if (!acked) continue;
    const seq = acked.seq ?? 0;
    if (madeBySeq.has(seq)) fail(`two calls got seq ${seq}`, [madeBySeq.get(seq), made]);
    madeBySeq.set(seq, made);
    if (log[seq - 1]?.id !== acked.id) fail('what was acknowledged is not in the log', made);
  }
  const seqOf = new Map([...madeBySeq].map(([seq, made]) => [made, seq]));
  const span = (made: MadeCall): Span => spanOf(made, seqOf, log.length);
  for (const [made, seq] of seqOf) {
    const { from, to } = span(made);
    if (seq <= from || seq > to) fail(`seq ${seq} is not between ${from} and ${to}`, made);
  }

  const states = [nothing];
  const unheard = calls.filter(({ outcome }) => outcome === null);
  for (const [index, stored] of log.entries()) {
    const state = states[index] ?? nothing;
    const isIt = (made: MadeCall) => isEventOf(state, made, ackedEvent(made) ?? stored);
    const made =
      madeBySeq.get(index + 1) ??
      unheard.find((one) => !seqOf.has(one) && span(one).from <= index && isIt(one)) ??
      fail('no call caused this event', stored);
    if (!isIt(made)) fail('this event is not what the call does here', { made, stored });
    seqOf.set(made, index + 1);
    const live = ackedEvent(made) ?? stored;
    if (!isSameButEmptied(live, stored)) fail('the log holds another event', { live, stored });
    states.push(apply(state, made.call, live));
  }

  for (const made of calls) {
    const { outcome, call } = made;
    if (!outcome || ackedEvent(made) || isNotBegun(made)) continue;
    const { from, to } = span(made);
    const isRight = states.slice(from, to + 1).some((state) => {
      const what = expected(state, call);
      if (!outcome.ok) return 'code' in what && what.code === outcome.code;
      return !('code' in what) && what.event === null && contains(outcome.result, what.result);
    });
    if (!isRight) fail(`this answer is right in none of the states ${from} to ${to}`, made);
  }
  return states;
}

export function ackedEvent({ outcome }: MadeCall): Envelope | null {
  const [appended] = outcome?.ok ? outcome.events : [];
  return appended ? (JSON.parse(appended.event.json) as Envelope) : null;
}

// The database was away or the hub was closing. Such a call has no effect, and its answer is right in every state of
// the channel.
const isNotBegun = ({ outcome }: MadeCall) =>
  outcome?.ok === false && outcome.code === 'unavailable';

function spanOf(made: MadeCall, seqOf: ReadonlyMap<MadeCall, number>, head: number): Span {
  let from = 0;
  let to = head;
  for (const [other, seq] of seqOf) {
    if (other === made) continue;
    const isBefore =
      other.endedAt < made.beganAt || (other.hub === made.hub && other.beganAt < made.beganAt);
    const isAfter =
      other.beganAt > made.endedAt || (other.hub === made.hub && other.beganAt > made.beganAt);
    if (isBefore) from = Math.max(from, seq);
    if (isAfter) to = Math.min(to, seq - 1);
  }
  return { from, to };
}

function isEventOf(state: ChannelState, { call, outcome }: MadeCall, envelope: Envelope): boolean {
  const what = expected(state, call);
  if (!('event' in what) || what.event === null) return false;
  if (envelope.senderId !== call.actor.agentId || envelope.event.type !== what.event.type) {
    return false;
  }
  if (outcome?.ok && 'seq' in outcome.result && outcome.result.seq !== envelope.seq) return false;
  const { event } = envelope;
  // The call was not answered, and its text was deleted later, so only seq and sender are compared.
  const isEmptied = outcome === null && 'message' in event && event.message.deletedAt !== null;
  if (isEmptied && event.type !== 'channel.message.delete') {
    const { message } = what.event as { message?: Partial<Message> };
    return event.message.seq === message?.seq && event.message.senderId === call.actor.agentId;
  }
  return contains(event, what.event);
}

/** The stored event may lack the text of a message that was deleted later. */
function isSameButEmptied(live: Envelope, stored: Envelope): boolean {
  if (contains(live, stored) && contains(stored, live)) return true;
  if (!('message' in stored.event) || !('message' in live.event)) return false;
  const { message } = stored.event;
  if (message.deletedAt === null) return false;
  const { deletedAt } = message;
  const nothingLeft = { content: '', mentions: [], metadata: null, deletedAt, reactions: {} };
  const event = { ...live.event, message: { ...live.event.message, ...nothingLeft } };
  return contains({ ...live, event }, stored);
}

export function contains(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return Object.is(whole, part);
  if (typeof whole !== 'object' || whole === null) return false;
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      whole.length === part.length &&
      part.every((one, index) => contains(whole[index], one))
    );
  }
  // In `reactions`, `whole` may have no emoji that `part` lacks.
  return Object.entries(part).every(
    ([key, value]) =>
      contains((whole as Record<string, unknown>)[key], value) &&
      (key !== 'reactions' ||
        Object.keys((whole as { reactions: object }).reactions).length ===
          Object.keys(value as object).length),
  );
}

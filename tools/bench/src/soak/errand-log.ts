import type { Envelope } from '@openclaw/protocol';
import type { ViolationKind } from './violations.ts';

/** The soak judges a message by the value of this key in its metadata. */
export const errandKey = 'errand';

export interface ErrandWitness {
  /** Maps each agent to the ids of the asks that came to its inbox. */
  readonly seen: ReadonlyMap<string, ReadonlySet<string>>;
  /** The whole text of each stream whose end was acknowledged, by message id. */
  readonly finished: ReadonlyMap<string, string>;
}

export interface ErrandTotals {
  asks: number;
  done: number;
  declined: number;
  expired: number;
  answers: number;
  interrupted: number;
  /** Counts claims that were granted in a thread after its first claim. */
  takeovers: number;
}

interface Ask {
  readonly addressees: readonly string[];
  readonly states: Map<string, string>;
  expiries: number;
  fence: number;
  holder: string | null;
}

interface Answer {
  readonly ends: string[];
  content: string;
  state: string | undefined;
}

const statesAfter: Readonly<Record<string, readonly string[]>> = {
  'ask.accepted': ['open'],
  'ask.declined': ['open', 'accepted'],
  'ask.done': ['open', 'accepted'],
};

/**
 * Call it when all deadlines in the log have passed. Checks that each ask ended once for each addressee, that the
 * fences of claims rise, and that answers are whole and end once.
 */
export function judgeErrands(
  log: readonly Envelope[],
  { seen, finished }: ErrandWitness,
  report: (kind: ViolationKind, text: string, atMs?: number) => void,
): ErrandTotals {
  const asks = new Map<string, Ask>();
  const answers = new Map<string, Answer>();
  const totals: ErrandTotals = {
    ...{ asks: 0, done: 0, declined: 0, expired: 0, answers: 0, interrupted: 0, takeovers: 0 },
  };

  function onMessage({ event, timestamp }: Envelope) {
    if (event.type !== 'channel.message' && event.type !== 'thread.message') return;
    const { message } = event;
    const mark = message.metadata?.[errandKey] as { to?: string[]; fence?: number } | undefined;
    if (mark?.to) {
      const states = new Map(mark.to.map((agentId) => [agentId, 'open']));
      asks.set(message.id, { addressees: mark.to, states, expiries: 0, fence: 0, holder: null });
      return;
    }
    const ask = asks.get(message.threadId ?? '');
    if (!ask || mark?.fence === undefined) return;
    if (mark.fence !== ask.fence)
      report(
        'stale fence',
        `${message.senderId} wrote with fence ${mark.fence} after ${ask.fence} was granted`,
        timestamp,
      );
    answers.set(message.id, { ends: [], content: message.content, state: message.state });
  }

  function onEdit({ event, timestamp }: Envelope) {
    if (event.type !== 'channel.message.edit') return;
    const { id, content, state } = event.message;
    const answer = answers.get(id);
    if (!answer) return;
    Object.assign(answer, { content, state });
    if (answer.ends.includes(state ?? ''))
      report('stream broken', `${id} became ${state} twice`, timestamp);
    answer.ends.push(state ?? '');
  }

  function onAskEvent(name: string, payload: Record<string, unknown>, atMs: number) {
    const askId = String(payload['askId']);
    const ask = asks.get(askId);
    if (!ask) return;
    if (name === 'ask.expired') {
      ask.expiries += 1;
      const silent = payload['silent'] as string[];
      const open = ask.addressees.filter((agentId) => ask.states.get(agentId) === 'open');
      if (ask.expiries > 1) report('ask ended twice', `${askId} expired twice`, atMs);
      else if (silent.toSorted().join() !== open.toSorted().join())
        report(
          'ask ended twice',
          `${askId} expired for ${silent.join()}, open were ${open.join()}`,
          atMs,
        );
      for (const agentId of silent) ask.states.set(agentId, 'expired');
      return;
    }
    const agentId = String(payload['agentId']);
    const before = ask.states.get(agentId) ?? 'absent';
    if (!statesAfter[name]?.includes(before))
      report('ask ended twice', `${name} by ${agentId} on ${askId}, which was ${before}`, atMs);
    ask.states.set(agentId, name.slice('ask.'.length));
  }

  function onClaimEvent(name: string, payload: Record<string, unknown>, atMs: number) {
    const ask = asks.get(String(payload['threadId']));
    if (!ask) return;
    const { fence, agentId } = payload as { fence: number; agentId: string };
    if (name === 'claim.granted') {
      if (fence !== ask.fence + 1)
        report('stale fence', `fence ${fence} was granted after ${ask.fence}`, atMs);
      if (ask.holder !== null)
        report('stale fence', `${agentId} was granted what ${ask.holder} still held`, atMs);
      if (ask.fence > 0) totals.takeovers += 1;
      Object.assign(ask, { fence, holder: agentId });
    } else ask.holder = null;
  }

  for (const envelope of log) {
    const { event, timestamp } = envelope;
    onMessage(envelope);
    onEdit(envelope);
    if (event.type !== 'collaboration.event') continue;
    if (event.name.startsWith('ask.')) onAskEvent(event.name, event.payload, timestamp);
    if (event.name.startsWith('claim.')) onClaimEvent(event.name, event.payload, timestamp);
  }

  for (const [askId, { addressees, states }] of asks) {
    totals.asks += 1;
    for (const agentId of addressees) {
      const state = states.get(agentId);
      if (state === 'open')
        report('ask without end', `${askId} to ${agentId} neither ended nor expired`);
      if (state === 'done') totals.done += 1;
      if (state === 'declined') totals.declined += 1;
      if (state === 'expired') totals.expired += 1;
      if (!seen.get(agentId)?.has(askId))
        report('inbox lost', `${askId} never came to the inbox of ${agentId}`);
    }
  }
  for (const [messageId, { ends, content, state }] of answers) {
    totals.answers += 1;
    if (ends.includes('interrupted')) totals.interrupted += 1;
    if (state === 'streaming') report('stream broken', `${messageId} still grows`);
    const whole = finished.get(messageId);
    if (whole !== undefined && (state !== 'complete' || content !== whole))
      report(
        'stream broken',
        `${messageId} is ${state} with ${content.length} of ${whole.length} characters`,
      );
  }
  for (const messageId of finished.keys())
    if (!answers.has(messageId)) report('stream broken', `${messageId} is not in the log`);
  return totals;
}

import {
  isDirectChannelId,
  type Discontinuity as HubDiscontinuity,
  type Envelope,
  type Welcome,
} from '@openclaw/protocol';
import type { AskMethod } from './calls.ts';
import { HubError } from './errors.ts';
import { createOrdering, type EventCounters } from './ordering.ts';
import { createResume, type Discontinuity } from './resume.ts';
import { createTopic, type Subscribed, type Topic, type TopicReader } from './topic.ts';

/** Every channel that the client receives. */
export interface Subscriptions {
  readonly counters: EventCounters;
  /** At `signal` it gives up waiting, and the subscription too, where nobody else wants it. */
  subscribe(channelId: string, since: number | null, signal?: AbortSignal): Promise<Subscribed>;
  unsubscribe(channelId: string): Promise<void>;
  /** Adds a reader and, where there is none, a subscription; the returned function takes both back. */
  read(channelId: string, since: number | null, reader: TopicReader): () => void;
  /** Asks at once for what this turn subscribed so far. */
  flush(): void;
  onEvent(envelope: Envelope): void;
  onDiscontinuity(params: HubDiscontinuity): void;
  /** Asks for all that was missed. */
  onWelcome(welcome: Welcome): void;
  onLost(): void;
  close(error: HubError): void;
}

/** What {@link createSubscriptions} is wired to. */
export interface SubscriptionDeps {
  readonly ask: AskMethod;
  readonly emitEvent: (envelope: Envelope) => void;
  readonly emitDiscontinuity: (discontinuity: Discontinuity) => void;
}

const ignore = () => undefined;
// A welcome names so many direct channels at most.
const welcomeDirectMax = 200;

/** Keeps each channel's cursor over all connections. */
export function createSubscriptions(
  { ask, emitEvent, emitDiscontinuity }: SubscriptionDeps,
  options: { readonly heldMax: number; readonly catchUpMax: number },
): Subscriptions {
  const topics = new Map<string, Topic>();
  /** Direct channels that were unsubscribed: what comes of them is not wanted, on later connections either. */
  const unwanted = new Set<string>();
  let welcome: Welcome | null = null;
  let isReconnected = false;
  /** The epoch in which a welcome named all direct channels there were, so that any other is new; null before. */
  let wholeListEpoch: string | null = null;
  let closedBy: HubError | null = null;

  const ordering = createOrdering({
    heldMax: options.heldMax,
    handOn,
    onHole: (topic) => resume.want(topic),
  });
  const resume = createResume({ topics, ordering, ask, end, emitDiscontinuity }, options);

  function handOn(topic: Topic, envelope: Envelope) {
    emitEvent(envelope);
    for (const reader of topic.readers) reader.onEvent(envelope);
    const { event, seq } = envelope;
    // A leave up to the head of a subscribe's answer is past: the answer was for a member.
    const isLeft =
      event.type === 'channel.member.leave' &&
      event.member.agentId === welcome?.agentId &&
      (seq ?? 0) > (topic.subscribed?.head ?? 0);
    if (isLeft || event.type === 'channel.delete') end(topic, null);
  }

  function end(topic: Topic, error: HubError | null) {
    topics.delete(topic.channelId);
    topic.turn += 1;
    topic.held.clear();
    for (const waiter of topic.waiters.splice(0)) {
      waiter.reject(
        error ?? new HubError('not_found', `The subscription of ${topic.channelId} ended`),
      );
    }
    for (const reader of topic.readers) reader.onEnd(error);
    topic.readers.clear();
  }

  function find(channelId: string, since: number | null): Topic {
    if (closedBy !== null) throw closedBy;
    unwanted.delete(channelId);
    const known = topics.get(channelId);
    if (known === undefined) {
      const topic = createTopic(channelId, since, null);
      topics.set(channelId, topic);
      resume.want(topic);
      return topic;
    }
    if (since === null) return known;
    throw new HubError(
      'conflict',
      `${channelId} is subscribed already: read what is before from its log`,
    );
  }

  async function until(topic: Topic, signal: AbortSignal | undefined): Promise<Subscribed> {
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<Subscribed>((resolve, reject) => {
        const waiter = { resolve, reject };
        topic.waiters.push(waiter);
        onAbort = () => {
          topic.waiters = topic.waiters.filter((other) => other !== waiter);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own reason
          reject(signal?.reason);
          if (topic.waiters.length > 0) return;
          topic.isKept = false;
          void giveUp(topic);
        };
        signal?.addEventListener('abort', onAbort);
      });
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    }
  }

  async function giveUp(topic: Topic) {
    const isUsed = topic.isKept || topic.readers.size > 0;
    if (isUsed || topics.get(topic.channelId) !== topic) return;
    end(topic, null);
    if (isDirectChannelId(topic.channelId)) unwanted.add(topic.channelId);
    // Without a connection there is nothing to take back.
    await new Promise<unknown>((resolve) => {
      ask('unsubscribe', { channelIds: [topic.channelId] }, resolve, resolve);
    });
  }

  /** The hub brings direct channels unasked; they are kept like any that was asked for. */
  function addDirect(channelId: string, last: number, epoch: string | null): Topic {
    const topic = createTopic(channelId, last, epoch);
    topic.phase = 'live';
    topic.isKept = true;
    topic.subscribed = { head: last, presencePushed: true };
    topics.set(channelId, topic);
    return topic;
  }

  /** The first event of a direct channel that no welcome named. */
  function meetDirect(channelId: string, seq: number, epoch: string): Topic {
    // A new one is read from its beginning; so the event waits until what comes before it is there.
    if (seq === 1 || wholeListEpoch === epoch) return addDirect(channelId, 0, epoch);
    const head = seq - 1;
    // Within one connection the hub skips nothing; whether events came between two connections is unknown.
    if (isReconnected) emitDiscontinuity({ channelId, head, reason: 'behind' });
    return addDirect(channelId, head, epoch);
  }

  function resumeDirect({ direct, epoch, limits }: Welcome, before: Welcome | null) {
    if (unwanted.size > 0) {
      const channelIds = [...unwanted].slice(0, limits.topics);
      ask('unsubscribe', { channelIds }, ignore, ignore);
    }
    // What a whole list did not name is new since then; past a full list's end that cannot be told.
    const knewAll = wholeListEpoch === epoch;
    const isWhole = direct.length < welcomeDirectMax;
    wholeListEpoch = knewAll || isWhole ? epoch : null;
    isReconnected = before !== null;
    for (const { channelId, head } of direct) {
      if (unwanted.has(channelId)) continue;
      const topic = topics.get(channelId);
      if (topic !== undefined) {
        if (topic.last === head && topic.epoch === epoch) topic.phase = 'live';
      } else if (knewAll) {
        resume.want(addDirect(channelId, 0, epoch));
      } else {
        addDirect(channelId, head, epoch);
        if (before !== null) emitDiscontinuity({ channelId, head, reason: 'behind' });
      }
    }
  }

  return {
    counters: ordering.counters,
    async subscribe(channelId, since, signal) {
      signal?.throwIfAborted();
      const topic = find(channelId, since);
      topic.isKept = true;
      if (topic.subscribed !== null) return topic.subscribed;
      return until(topic, signal);
    },
    async unsubscribe(channelId) {
      const topic = topics.get(channelId);
      if (topic === undefined) return;
      topic.isKept = false;
      await giveUp(topic);
    },
    read(channelId, since, reader) {
      const topic = find(channelId, since);
      topic.readers.add(reader);
      return () => {
        if (topic.readers.delete(reader)) void giveUp(topic);
      };
    },
    flush: () => resume.flush(),
    onEvent(envelope) {
      const { channelId, seq } = envelope;
      if (channelId === null) return emitEvent(envelope);
      let topic = topics.get(channelId);
      if (topic === undefined) {
        // Anything else is the tail of a channel that was given up.
        if (!isDirectChannelId(channelId) || unwanted.has(channelId)) return;
        if (seq === null) return emitEvent(envelope);
        topic = meetDirect(channelId, seq, envelope.epoch);
      }
      if (seq !== null) return ordering.receive(topic, envelope, seq);
      emitEvent(envelope);
      for (const reader of topic.readers) reader.onEvent(envelope);
    },
    onDiscontinuity({ channelId, head, reason }) {
      const topic = topics.get(channelId);
      if (topic !== undefined) return resume.onDiscontinuity(topic, head, reason);
      if (!isDirectChannelId(channelId) || unwanted.has(channelId)) return;
      addDirect(channelId, head, reason === 'epoch' ? null : (welcome?.epoch ?? null));
      emitDiscontinuity({ channelId, head, reason });
    },
    onWelcome(next) {
      const before = welcome;
      welcome = next;
      resumeDirect(next, before);
      resume.onWelcome(next);
    },
    onLost: () => resume.onLost(),
    close(error) {
      closedBy = error;
      resume.close();
      for (const topic of [...topics.values()]) end(topic, error);
    },
  };
}

import type { Discontinuity as HubDiscontinuity, Envelope, Welcome } from '@openclaw/protocol';
import { isDirectChannelId, welcomeDirectMax } from '@openclaw/protocol/wire';
import { abortable } from './abortable.ts';
import type { CallSyncMethod } from './calls.ts';
import { HubError } from './errors.ts';
import { createResume, type Discontinuity } from './resume.ts';
import {
  createOrdering,
  createTopic,
  type Subscribed,
  type Topic,
  type TopicReader,
} from './topic.ts';

export interface SubscriptionDeps {
  readonly callSync: CallSyncMethod;
  readonly emitEvent: (envelope: Envelope) => void;
  readonly emitDiscontinuity: (discontinuity: Discontinuity) => void;
}

const ignore = () => undefined;

export type Subscriptions = ReturnType<typeof createSubscriptions>;

/** Keeps each channel's position across connections. */
export function createSubscriptions(
  { callSync, emitEvent, emitDiscontinuity }: SubscriptionDeps,
  options: { readonly bufferMax: number; readonly catchUpMax: number },
) {
  const topics = new Map<string, Topic>();
  /**
   * On each connection the hub subscribes every direct channel. The client then unsubscribes the channels in this set
   * again.
   */
  const unsubscribedDirect = new Set<string>();
  let welcome: Welcome | null = null;
  let isReconnected = false;
  /**
   * The epoch of a welcome that named every direct channel. A direct channel of this epoch that the welcome did not
   * name is new. Null without such a welcome.
   */
  let completeListEpoch: string | null = null;
  let closedBy: HubError | null = null;

  const ordering = createOrdering({
    bufferMax: options.bufferMax,
    deliver,
    onGap: (topic) => resume.request(topic),
  });
  const resume = createResume({ topics, ordering, callSync, end, emitDiscontinuity }, options);

  function deliver(topic: Topic, envelope: Envelope) {
    emitEvent(envelope);
    for (const reader of topic.readers) reader.onEvent(envelope);
    const { event, seq } = envelope;
    // A leave with a seq up to the head in the answer to `subscribe` came before the subscription, so it is outdated.
    const isLeft =
      event.type === 'channel.member.leave' &&
      event.member.agentId === welcome?.agentId &&
      (seq ?? 0) > (topic.subscribed?.head ?? 0);
    if (isLeft || event.type === 'channel.delete') end(topic, null);
  }

  function end(topic: Topic, error: HubError | null) {
    topics.delete(topic.channelId);
    topic.generation += 1;
    topic.buffered.clear();
    const reason =
      error ?? new HubError('not_found', `The subscription of ${topic.channelId} ended`);
    for (const waiter of topic.waiters.splice(0)) waiter.reject(reason);
    for (const reader of topic.readers) reader.onEnd(error);
    topic.readers.clear();
  }

  function findOrCreate(channelId: string, since: number | null): Topic {
    if (closedBy !== null) throw closedBy;
    unsubscribedDirect.delete(channelId);
    const known = topics.get(channelId);
    if (known === undefined) {
      const topic = createTopic(channelId, since, null);
      topics.set(channelId, topic);
      resume.request(topic);
      return topic;
    }
    if (since === null) return known;
    const message = `${channelId} is subscribed already: read the earlier events from its log`;
    throw new HubError('conflict', message);
  }

  function untilLive(topic: Topic, signal: AbortSignal | undefined): Promise<Subscribed> {
    return abortable(signal, (resolve, reject) => {
      const waiter = { resolve, reject };
      topic.waiters.push(waiter);
      return () => {
        // Does nothing for a waiter that is settled.
        const others = topic.waiters.filter((other) => other !== waiter);
        if (others.length === topic.waiters.length) return;
        topic.waiters = others;
        if (others.length > 0) return;
        topic.isExplicit = false;
        void release(topic);
      };
    });
  }

  async function release(topic: Topic) {
    const isUsed = topic.isExplicit || topic.readers.size > 0;
    if (isUsed || topics.get(topic.channelId) !== topic) return;
    end(topic, null);
    if (isDirectChannelId(topic.channelId)) unsubscribedDirect.add(topic.channelId);
    // Without a connection the hub has no subscription, so the promise also resolves when the call fails.
    await new Promise<unknown>((resolve) => {
      callSync('unsubscribe', { channelIds: [topic.channelId] }, resolve, resolve);
    });
  }

  function addDirect(channelId: string, last: number, epoch: string | null): Topic {
    const topic = createTopic(channelId, last, epoch);
    topic.phase = 'live';
    topic.isExplicit = true;
    topic.subscribed = { head: last, presencePushed: true };
    topics.set(channelId, topic);
    return topic;
  }

  /** Adds a direct channel that no welcome named. `seq` is the seq of the first event that arrived from it. */
  function addUnnamedDirect(channelId: string, seq: number, epoch: string): Topic {
    // A new channel is read from its beginning, so this event waits for the earlier ones.
    if (seq === 1 || completeListEpoch === epoch) return addDirect(channelId, 0, epoch);
    const head = seq - 1;
    // The hub skips no event within one connection. Between two connections, events may have been missed.
    if (isReconnected) emitDiscontinuity({ channelId, head, reason: 'behind' });
    return addDirect(channelId, head, epoch);
  }

  function resumeDirect(
    { direct, epoch, limits: { topics: topicsMax } }: Welcome,
    before: Welcome | null,
  ) {
    if (unsubscribedDirect.size > 0) {
      const channelIds = [...unsubscribedDirect].slice(0, topicsMax);
      callSync('unsubscribe', { channelIds }, ignore, ignore);
    }
    // A list of the maximum length may be incomplete.
    const knewAll = completeListEpoch === epoch;
    const isComplete = direct.length < welcomeDirectMax;
    completeListEpoch = knewAll || isComplete ? epoch : null;
    isReconnected = before !== null;
    for (const { channelId, head } of direct) {
      if (unsubscribedDirect.has(channelId)) continue;
      const topic = topics.get(channelId);
      if (topic !== undefined) {
        if (topic.last === head && topic.epoch === epoch) topic.phase = 'live';
      } else if (knewAll) {
        resume.request(addDirect(channelId, 0, epoch));
      } else {
        addDirect(channelId, head, epoch);
        if (before !== null) emitDiscontinuity({ channelId, head, reason: 'behind' });
      }
    }
  }

  return {
    counters: ordering.counters,
    /**
     * Resolves when the channel is subscribed. An abort also unsubscribes the channel, unless the channel has other
     * users.
     */
    async subscribe(
      channelId: string,
      since: number | null,
      signal?: AbortSignal,
    ): Promise<Subscribed> {
      signal?.throwIfAborted();
      const topic = findOrCreate(channelId, since);
      topic.isExplicit = true;
      if (topic.subscribed !== null) return topic.subscribed;
      return untilLive(topic, signal);
    },
    async unsubscribe(channelId: string) {
      const topic = topics.get(channelId);
      if (topic === undefined) return;
      topic.isExplicit = false;
      await release(topic);
    },
    /** Subscribes the channel if needed. The returned function removes the reader and releases the channel. */
    read(channelId: string, since: number | null, reader: TopicReader) {
      const topic = findOrCreate(channelId, since);
      topic.readers.add(reader);
      return () => {
        if (topic.readers.delete(reader)) void release(topic);
      };
    },
    flush: resume.flush,
    onEvent(envelope: Envelope) {
      const { channelId, seq } = envelope;
      if (channelId === null) return emitEvent(envelope);
      let topic = topics.get(channelId);
      if (topic === undefined) {
        // Drops events that arrive after the end of their subscription.
        if (!isDirectChannelId(channelId) || unsubscribedDirect.has(channelId)) return;
        if (seq === null) return emitEvent(envelope);
        topic = addUnnamedDirect(channelId, seq, envelope.epoch);
      }
      if (seq !== null) return ordering.receive(topic, envelope, seq);
      emitEvent(envelope);
      for (const reader of topic.readers) reader.onEvent(envelope);
    },
    onDiscontinuity(discontinuity: HubDiscontinuity) {
      const { channelId, head, reason } = discontinuity;
      const topic = topics.get(channelId);
      if (topic !== undefined) return resume.onDiscontinuity(topic, discontinuity);
      if (!isDirectChannelId(channelId) || unsubscribedDirect.has(channelId)) return;
      addDirect(channelId, head, reason === 'epoch' ? null : (welcome?.epoch ?? null));
      emitDiscontinuity({ channelId, head, reason });
    },
    onWelcome(next: Welcome) {
      const before = welcome;
      welcome = next;
      resumeDirect(next, before);
      resume.onWelcome(next);
    },
    onLost: () => resume.onLost(),
    close(error: HubError) {
      closedBy = error;
      resume.close();
      for (const topic of [...topics.values()]) end(topic, error);
    },
  };
}

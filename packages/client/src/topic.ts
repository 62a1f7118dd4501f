import type { Envelope } from '@openclaw/protocol';
import type { HubError } from './errors.ts';

export interface Subscribed {
  /** Live events continue from head + 1. */
  readonly head: number;
  /** True when presence arrives as events. Otherwise only `presence.list` gives it. */
  readonly presencePushed: boolean;
}

export interface TopicReader {
  onEvent(envelope: Envelope): void;
  /** Called after the last event. `error` is null when the agent left or the channel was deleted. */
  onEnd(error: HubError | null): void;
}

/**
 * One subscribed channel.
 * - `pending`: it must be subscribed on this connection; `subscribing`: the call is on its way.
 * - `catching-up`: missed events are read from the log.
 * - `live`: the next durable event is `last + 1`.
 */
export interface Topic {
  readonly channelId: string;
  phase: 'pending' | 'subscribing' | 'catching-up' | 'live';
  /** The seq of the last delivered event; null before the first answer. */
  last: number | null;
  /** The epoch of `last`. Null until the next event sets it. */
  epoch: string | null;
  readonly buffered: Map<number, Envelope>;
  droppedUpTo: number;
  /** Increases with every change that makes answers in flight outdated. */
  generation: number;
  subscribed: Subscribed | null;
  /**
   * True after `subscribe()`, false after `unsubscribe()`. When it is false and the last reader has gone, the topic is
   * released.
   */
  isExplicit: boolean;
  readonly readers: Set<TopicReader>;
  waiters: { resolve(subscribed: Subscribed): void; reject(error: unknown): void }[];
}

export function createTopic(channelId: string, last: number | null, epoch: string | null): Topic {
  return {
    channelId,
    phase: 'pending',
    last,
    epoch,
    buffered: new Map(),
    droppedUpTo: 0,
    generation: 0,
    subscribed: null,
    isExplicit: false,
    readers: new Set(),
    waiters: [],
  };
}

export interface EventCounters {
  readonly delivered: number;
  /** Events that were dropped, because they had been delivered before. */
  readonly repeated: number;
  /** Events that were buffered, because they arrived before their predecessor. */
  readonly outOfOrder: number;
}

export type Ordering = ReturnType<typeof createOrdering>;

/** Delivers every durable event once and in order. Calls `onGap` when a live topic lacks the next event. */
export function createOrdering(deps: {
  readonly bufferMax: number;
  deliver(topic: Topic, envelope: Envelope): void;
  onGap(topic: Topic): void;
}) {
  const counters: { -readonly [K in keyof EventCounters]: number } = {
    delivered: 0,
    repeated: 0,
    outOfOrder: 0,
  };

  function deliver(topic: Topic, envelope: Envelope, seq: number) {
    topic.last = seq;
    counters.delivered += 1;
    deps.deliver(topic, envelope);
  }

  function drain(topic: Topic) {
    const { buffered } = topic;
    while (buffered.size > 0) {
      const seq = (topic.last ?? 0) + 1;
      const envelope = buffered.get(seq);
      if (envelope === undefined) break;
      buffered.delete(seq);
      deliver(topic, envelope, seq);
    }
    for (const seq of buffered.keys()) if (seq <= (topic.last ?? 0)) buffered.delete(seq);
  }

  function buffer(topic: Topic, envelope: Envelope, seq: number) {
    if (topic.buffered.size < deps.bufferMax) topic.buffered.set(seq, envelope);
    // The event is not kept, but is fetched again once the topic is live.
    else topic.droppedUpTo = Math.max(topic.droppedUpTo, seq);
  }

  function receiveOutOfOrder(topic: Topic, envelope: Envelope, seq: number) {
    if (topic.epoch === null) {
      // After a discontinuity, the next event sets the epoch.
      topic.epoch = envelope.epoch;
      if (topic.phase === 'live' && seq === (topic.last ?? 0) + 1) {
        return deliver(topic, envelope, seq);
      }
    }
    // An event of another epoch is not buffered, because that epoch has its own seqs. The answer to the next subscribe
    // shows whether the epoch has changed.
    if (topic.epoch === envelope.epoch) buffer(topic, envelope, seq);
    if (topic.phase !== 'live') return;
    counters.outOfOrder += 1;
    deps.onGap(topic);
  }

  return {
    counters: counters as EventCounters,
    drain,
    receive(topic: Topic, envelope: Envelope, seq: number) {
      const { last } = topic;
      const isLive = topic.phase === 'live' && last !== null && topic.epoch === envelope.epoch;
      if (isLive && seq === last + 1) {
        deliver(topic, envelope, seq);
        if (topic.buffered.size > 0) drain(topic);
      } else if (isLive && seq <= last) {
        counters.repeated += 1;
      } else {
        receiveOutOfOrder(topic, envelope, seq);
      }
    },
    /** May be called before `topic` is live. */
    receiveFetched(topic: Topic, envelope: Envelope) {
      const seq = envelope.seq as number;
      topic.epoch ??= envelope.epoch;
      if (seq === (topic.last ?? 0) + 1) deliver(topic, envelope, seq);
      else if (seq > (topic.last ?? 0)) buffer(topic, envelope, seq);
    },
  };
}

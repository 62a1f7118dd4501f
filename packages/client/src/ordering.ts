import type { Envelope } from '@openclaw/protocol';
import { takeHeld, type Topic } from './topic.ts';

/** What the hub's events were like, for who measures it. */
export interface EventCounters {
  /** Durable events handed on. */
  readonly delivered: number;
  /** Durable events that came a second time, and were dropped. */
  readonly repeated: number;
  /** Durable events that came before the one they follow, and were held. */
  readonly early: number;
}

/** Hands on every durable event once and in order. */
export interface Ordering {
  readonly counters: EventCounters;
  /** An event came live. */
  receive(topic: Topic, envelope: Envelope, seq: number): void;
  /** An event came in answer to a question, so it may come before `topic` is live. */
  fill(topic: Topic, envelope: Envelope): void;
  /** Hands on what was held and now follows. */
  drain(topic: Topic): void;
}

/** `onHole`: a live topic cannot go on from what it has. */
export function createOrdering(deps: {
  readonly heldMax: number;
  handOn(topic: Topic, envelope: Envelope): void;
  onHole(topic: Topic): void;
}): Ordering {
  const counters = { delivered: 0, repeated: 0, early: 0 };

  function next(topic: Topic, envelope: Envelope, seq: number) {
    topic.last = seq;
    counters.delivered += 1;
    deps.handOn(topic, envelope);
  }

  function drain(topic: Topic) {
    for (const envelope of takeHeld(topic)) next(topic, envelope, envelope.seq as number);
  }

  function hold(topic: Topic, envelope: Envelope, seq: number) {
    if (topic.held.size < deps.heldMax) topic.held.set(seq, envelope);
    // It is not lost: it is fetched once the topic is live, also when nothing follows that would show a hole.
    else topic.unheld = Math.max(topic.unheld, seq);
  }

  return {
    counters,
    drain,
    receive(topic, envelope, seq) {
      const { last } = topic;
      const isLive = topic.phase === 'live' && last !== null && topic.epoch === envelope.epoch;
      if (isLive && seq === last + 1) {
        next(topic, envelope, seq);
        if (topic.held.size > 0) drain(topic);
      } else if (isLive && seq <= last) {
        counters.repeated += 1;
      } else {
        receiveUnordered(topic, envelope, seq);
      }
    },
    fill(topic, envelope) {
      const seq = envelope.seq as number;
      topic.epoch ??= envelope.epoch;
      if (seq === (topic.last ?? 0) + 1) next(topic, envelope, seq);
      else if (seq > (topic.last ?? 0)) hold(topic, envelope, seq);
    },
  };

  function receiveUnordered(topic: Topic, envelope: Envelope, seq: number) {
    if (topic.epoch === null) {
      // After a discontinuity only the next event tells the new epoch.
      topic.epoch = envelope.epoch;
      if (topic.phase === 'live' && seq === (topic.last ?? 0) + 1)
        return next(topic, envelope, seq);
    }
    // An event of another epoch has another numbering: asking with our epoch tells where we are.
    if (topic.epoch === envelope.epoch) hold(topic, envelope, seq);
    if (topic.phase !== 'live') return;
    counters.early += 1;
    deps.onHole(topic);
  }
}

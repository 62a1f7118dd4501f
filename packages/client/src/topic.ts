import type { Envelope } from '@openclaw/protocol';
import type { HubError } from './errors.ts';

/** What a subscribe found. */
export interface Subscribed {
  /** Live events go on from head + 1. */
  readonly head: number;
  /** Does presence come as events, or only by `presence.list`? */
  readonly presencePushed: boolean;
}

/** Who wants a channel's events. */
export interface TopicReader {
  onEvent(envelope: Envelope): void;
  /** No more will come: null when the agent left or the channel was deleted. */
  onEnd(error: HubError | null): void;
}

/**
 * One subscribed channel.
 * - `wanted`: a subscribe is due; `asked`: it is on its way; `paging`: what it did not bring is read from the log.
 * - `live`: the next durable event is `last + 1`.
 */
export interface Topic {
  readonly channelId: string;
  phase: 'wanted' | 'asked' | 'paging' | 'live';
  /** The seq of the last event handed on; null until a first subscribe says where live begins. */
  last: number | null;
  /** The epoch of `last`; null when the next event will tell. */
  epoch: string | null;
  /** Events past a hole, by seq. */
  readonly held: Map<number, Envelope>;
  /** The highest seq that `held` had no room for. */
  unheld: number;
  /** Raised by all that makes an answer on its way worthless. */
  turn: number;
  subscribed: Subscribed | null;
  /** Set by `subscribe()`, cleared by `unsubscribe()`: a topic with neither this nor readers is given up. */
  isKept: boolean;
  readonly readers: Set<TopicReader>;
  waiters: { resolve(subscribed: Subscribed): void; reject(error: unknown): void }[];
}

/** A topic that asks to be subscribed. */
export function createTopic(channelId: string, last: number | null, epoch: string | null): Topic {
  return {
    channelId,
    phase: 'wanted',
    last,
    epoch,
    held: new Map(),
    unheld: 0,
    turn: 0,
    subscribed: null,
    isKept: false,
    readers: new Set(),
    waiters: [],
  };
}

/** Takes out of `held` what now follows `last`, and forgets what is older. */
export function* takeHeld(topic: Topic): Generator<Envelope> {
  while (topic.held.size > 0) {
    const next = topic.held.get((topic.last ?? 0) + 1);
    if (next === undefined) break;
    topic.held.delete((topic.last ?? 0) + 1);
    yield next;
  }
  for (const seq of topic.held.keys()) if (seq <= (topic.last ?? 0)) topic.held.delete(seq);
}

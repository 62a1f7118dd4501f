import type { Envelope } from '@openclaw/client';
import { isDirectChannelId } from '@openclaw/protocol/wire';
import { nowMs } from '../measure/clock.ts';
import { record, type Tally } from '../measure/tally.ts';
import { agentIndexOf, type Plan } from '../plan/plan.ts';
import { createChannelWatch, watchSeq, type ChannelWatch } from './channel-watch.ts';

/** Due times are shared by all threads, because the events do not contain them. */
export interface DueTimes {
  readonly typing: Float64Array<SharedArrayBuffer>;
  readonly reaction: Float64Array<SharedArrayBuffer>;
}

export interface KnownMessage {
  readonly id: string;
  readonly threadId: string | null;
}

export interface ReceivedEvents {
  readonly receive: (envelope: Envelope) => void;
  /** Call it before the agent subscribes. The channel's events count from then on. */
  subscribing(channelId: string): void;
  /** Call it with the head in the hub's answer. All events after this head must arrive. */
  subscribed(channelId: string, head: number): void;
  /**
   * Call it before the agent unsubscribes. Events that arrive later do not count, and missing ones
   * are no loss.
   */
  unsubscribing(channelId: string): void;
  /** Returns the newest received seq, or 0 before the first. */
  lastSeq(channelId: string): number;
  /** Returns the newest message outside of threads. */
  newestMessage(channelId: string): KnownMessage | undefined;
  newestReply(channelId: string): KnownMessage | undefined;
  /** Counts the events up to these heads that have not arrived. */
  missing(heads: Readonly<Record<string, number>>): number;
  /** Counts skipped and repeated seqs of all subscriptions so far. */
  counts(): { readonly lost: number; readonly doubled: number };
}

export function createReceivedEvents(plan: Plan, tally: Tally, dues: DueTimes): ReceivedEvents {
  const watches = new Map<string, ChannelWatch>();
  const past = { lost: 0, doubled: 0 };
  const unsubscribed = new Set<string>();
  const lastMessages = new Map<string, KnownMessage>();
  const lastReplies = new Map<string, KnownMessage>();
  // The hub repeats a presence when it compares rosters. Only the first arrival of a presence is measured.
  const seenPresence = new Map<number, number>();

  function recordDue(
    name: 'typing' | 'reaction',
    times: Float64Array,
    agentId: string,
    now: number,
  ) {
    const dueMs = times[agentIndexOf(plan, agentId)];
    if (dueMs !== undefined && dueMs > 0) record(tally, name, dueMs, now);
  }

  function onPresence(agentId: string, customStatus: string | null, now: number) {
    const dueMs = customStatus?.startsWith('due ') ? Number(customStatus.slice(4)) : Number.NaN;
    const from = agentIndexOf(plan, agentId);
    if (!(dueMs > (seenPresence.get(from) ?? 0))) return;
    seenPresence.set(from, dueMs);
    record(tally, 'presence', dueMs, now);
  }

  return {
    receive({ event, channelId, seq }) {
      const now = nowMs();
      if (now >= tally.times.measureMs) {
        tally.deliveries += 1;
        tally.series?.count('deliveries');
      }
      if (seq !== null && channelId !== null && !unsubscribed.has(channelId)) {
        let watch = watches.get(channelId);
        if (watch === undefined) watches.set(channelId, (watch = createChannelWatch(seq - 1)));
        watchSeq(watch, seq);
      }
      switch (event.type) {
        case 'channel.message': {
          const { message } = event;
          const dueMs = Number.parseFloat(message.content);
          if (isDirectChannelId(event.channelId)) return record(tally, 'direct', dueMs, now);
          lastMessages.set(event.channelId, { id: message.id, threadId: null });
          return record(tally, 'delivery', dueMs, now);
        }
        case 'thread.message': {
          const { message } = event;
          lastReplies.set(message.channelId, { id: message.id, threadId: message.threadId });
          return record(tally, 'reply', Number.parseFloat(message.content), now);
        }
        case 'channel.typing':
          return event.typing ? recordDue('typing', dues.typing, event.agentId, now) : undefined;
        case 'channel.reaction.add':
          return recordDue('reaction', dues.reaction, event.agentId, now);
        case 'channel.presence':
          for (const { agentId, customStatus } of event.presences)
            onPresence(agentId, customStatus, now);
      }
    },
    subscribing: (channelId) => void unsubscribed.delete(channelId),
    subscribed(channelId, head) {
      const watch = watches.get(channelId);
      // The hub sends the answer before the events, but the client may deliver events before the answer. Events between
      // the head and the first delivered event are lost.
      if (watch === undefined) watches.set(channelId, createChannelWatch(head));
      else watch.lost += Math.max(0, watch.first - head - 1);
    },
    unsubscribing(channelId) {
      unsubscribed.add(channelId);
      const watch = watches.get(channelId);
      watches.delete(channelId);
      past.lost += watch?.lost ?? 0;
      past.doubled += watch?.doubled ?? 0;
    },
    lastSeq: (channelId) => watches.get(channelId)?.last ?? 0,
    newestMessage: (channelId) => lastMessages.get(channelId),
    newestReply: (channelId) => lastReplies.get(channelId),
    missing(heads) {
      let count = 0;
      for (const [id, { last }] of watches) count += Math.max(0, (heads[id] ?? 0) - last);
      return count;
    },
    counts() {
      let { lost, doubled } = past;
      for (const watch of watches.values()) {
        lost += watch.lost;
        doubled += watch.doubled;
      }
      return { lost, doubled };
    },
  };
}

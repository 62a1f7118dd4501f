import { signal, type Signal } from '@preact/signals';
import type { Channel, Envelope } from '@openclaw/protocol';
import {
  membersAfter,
  presencesAfter,
  threadsAfter,
  typingAfter,
  type Members,
  type Presences,
} from './reducers.ts';
import { createMeanwhile, type Meanwhile } from './read-with-updates.ts';
import type { Threads } from './threads.ts';
import { applyEvents, emptyTimeline, type Timeline, type Trim } from './timeline.ts';
import type { TypingMarks } from './typing.ts';
import { countUnread, nothingUnread, type Unread } from './unread.ts';

/** All that the page knows of one channel. */
export interface Chat {
  readonly id: string;
  readonly channel: Signal<Channel>;
  readonly timeline: Signal<Timeline>;
  /** The thread in the side pane; null when none is open. */
  readonly thread: Signal<Timeline | null>;
  readonly members: Signal<Members>;
  readonly presences: Signal<Presences>;
  readonly typing: Signal<TypingMarks>;
  readonly threads: Signal<Threads>;
  readonly unread: Signal<Unread>;
  /** Does the reader see the newest message? Then the oldest goes when memory is full, else the newest. */
  readonly isFollowing: Signal<boolean>;
  /**
   * Settles once its events come. Whoever reads before misses what happens between the reading and then.
   */
  followed: Promise<void>;
  /** Asks the hub of this channel. */
  readonly ask: Meanwhile['ask'];
  /** Shows messages and what happened to them, and nothing else of it. */
  show(envelopes: readonly Envelope[]): void;
  /** Takes in what happened, in its order. */
  apply(envelopes: readonly Envelope[]): void;
}

/** How many lines of one channel are kept in memory; what goes beyond is paged in again. */
export const timelineMax = 10_000;
/** A chat that has heard nothing yet. */
export function createChat(channel: Channel, me: string, now: () => number = Date.now): Chat {
  const meanwhile = createMeanwhile();
  const chat: Chat = {
    id: channel.channelId,
    channel: signal(channel),
    timeline: signal(emptyTimeline()),
    thread: signal(null),
    members: signal(new Map()),
    presences: signal(new Map()),
    typing: signal(new Map()),
    threads: signal(new Map()),
    unread: signal(nothingUnread),
    isFollowing: signal(true),
    followed: Promise.resolve(),
    ask: (question) => meanwhile.ask(question),
    show(envelopes) {
      const trim: Trim = chat.isFollowing.peek() ? 'oldest' : 'newest';
      chat.timeline.value = applyEvents(chat.timeline.peek(), envelopes, {
        max: timelineMax,
        trim,
      });
      const thread = chat.thread.peek();
      if (thread === null) return;
      chat.thread.value = applyEvents(thread, envelopes, { max: timelineMax, trim: 'oldest' });
    },
    apply(envelopes) {
      meanwhile.hear(envelopes);
      chat.show(envelopes);
      chat.unread.value = countUnread(chat.unread.peek(), envelopes, me);
      for (const envelope of envelopes) {
        const { event } = envelope;
        chat.members.value = membersAfter(chat.members.peek(), event);
        chat.presences.value = presencesAfter(chat.presences.peek(), event);
        chat.threads.value = threadsAfter(chat.threads.peek(), event);
        chat.typing.value = typingAfter(chat.typing.peek(), envelope, now());
        if (event.type === 'channel.update' || event.type === 'channel.archive')
          chat.channel.value = event.channel;
      }
    },
  };
  return chat;
}

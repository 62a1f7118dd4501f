import { signal, type Signal } from '@preact/signals';
import type { Channel, Envelope, Member, Presence } from '@openclaw/protocol';
import { withReply, withThread, type Threads } from './threads.ts';
import { applyEvents, emptyTimeline, type Timeline, type Trim } from './timeline.ts';
import { withTyping, type TypingMarks } from './typing.ts';
import { countUnread, nothingUnread, type Unread } from './unread.ts';

/** All that the page knows of one channel. */
export interface Chat {
  readonly id: string;
  readonly channel: Signal<Channel>;
  readonly timeline: Signal<Timeline>;
  /** The thread in the side pane; null when none is open. */
  readonly thread: Signal<Timeline | null>;
  readonly members: Signal<ReadonlyMap<string, Member>>;
  readonly presences: Signal<ReadonlyMap<string, Presence>>;
  readonly typing: Signal<TypingMarks>;
  readonly threads: Signal<Threads>;
  readonly unread: Signal<Unread>;
  /** Does the reader see the newest message? Then the oldest goes when memory is full, else the newest. */
  readonly isFollowing: Signal<boolean>;
  /**
   * Settles once its events come. Whoever reads before misses what happens between the reading and then.
   */
  followed: Promise<void>;
  /** Events heard while a page was on its way: the page may be older than they are. */
  readonly overlap: { readers: number; events: Envelope[] };
  /** Shows messages and what happened to them, and nothing else of it. */
  show(envelopes: readonly Envelope[]): void;
  /** Takes in what happened, in its order. */
  apply(envelopes: readonly Envelope[]): void;
}

/** How many lines of one channel are kept in memory; what goes beyond is paged in again. */
export const timelineMax = 10_000;
const overlapMax = 20_000;

/** A chat that has heard nothing yet. */
export function createChat(channel: Channel, me: string, now: () => number = Date.now): Chat {
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
    overlap: { readers: 0, events: [] },
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
      if (chat.overlap.readers > 0 && chat.overlap.events.length < overlapMax) {
        chat.overlap.events.push(...envelopes);
      }
      chat.show(envelopes);
      chat.unread.value = countUnread(chat.unread.peek(), envelopes, me);
      for (const envelope of envelopes) applyToPeople(chat, envelope, now());
    },
  };
  return chat;
}

function applyToPeople(chat: Chat, { event, senderId }: Envelope, nowMs: number): void {
  switch (event.type) {
    case 'channel.typing':
      chat.typing.value = withTyping(chat.typing.peek(), event, nowMs);
      break;
    case 'channel.presence': {
      const presences = new Map(chat.presences.peek());
      for (const presence of event.presences) presences.set(presence.agentId, presence);
      chat.presences.value = presences;
      break;
    }
    case 'channel.member.join':
    case 'channel.member.update':
    case 'channel.member.leave': {
      const members = new Map(chat.members.peek());
      if (event.type === 'channel.member.leave') members.delete(event.member.agentId);
      else members.set(event.member.agentId, event.member);
      chat.members.value = members;
      break;
    }
    case 'channel.update':
    case 'channel.archive':
      chat.channel.value = event.channel;
      break;
    case 'thread.message': {
      chat.threads.value = withReply(chat.threads.peek(), event.message);
      chat.typing.value = withTyping(
        chat.typing.peek(),
        { agentId: senderId, typing: false, threadId: null },
        nowMs,
      );
      break;
    }
    case 'thread.create':
    case 'thread.update':
      chat.threads.value = withThread(chat.threads.peek(), event.thread);
      break;
    case 'channel.message':
      chat.typing.value = withTyping(
        chat.typing.peek(),
        { agentId: senderId, typing: false, threadId: null },
        nowMs,
      );
      break;
  }
}

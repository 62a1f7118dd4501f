import { batch, signal } from '@preact/signals';
import type { Channel, Envelope } from '@openclaw/protocol';
import { reduceAsks, reduceOpenAsks, type AskAnswers, type OpenAsks } from './asks.ts';
import { reduceQuestions, type Questions } from './questions.ts';
import { createUpdateRecorder } from './read-with-updates.ts';
import {
  reduceMembers,
  reducePresences,
  reduceThreads,
  reduceTyping,
  type Members,
  type Presences,
  type Threads,
  type Typing,
} from './reducers.ts';
import { applyEvents, emptyTimeline, type Timeline } from './timeline.ts';
import { createUnread } from './unread.ts';

/** The most entries of a timeline. A dropped entry is loaded again when it is needed. */
export const timelineMax = 10_000;

export type Chat = ReturnType<typeof createChat>;

export function isReadOnly(chat: Chat): boolean {
  return chat.isObserved.value || chat.channel.value.archivedAt !== null;
}

export function createChat(channel: Channel, me: string, now: () => number = Date.now) {
  const recorder = createUpdateRecorder();
  const counter = createUnread(me);
  const chat = {
    id: channel.channelId,
    channel: signal(channel),
    timeline: signal(emptyTimeline()),
    thread: signal<Timeline | null>(null),
    members: signal<Members>(new Map()),
    presences: signal<Presences>(new Map()),
    typing: signal<Typing>(new Map()),
    threads: signal<Threads>(new Map()),
    questions: signal<Questions>(new Map()),
    asks: signal<AskAnswers>(new Map()),
    openAsks: signal<OpenAsks>(new Map()),
    /** To mark something as read, call `markSeen` of `createChats`: it also tells the hub and the other tabs. */
    counter,
    unread: counter.value,
    /**
     * True while the newest message is in view. A full timeline then drops its oldest entries, otherwise its newest.
     */
    isFollowing: signal(true),
    isObserved: signal(false),
    /**
     * True from “mark unread” until the reader leaves the channel. Meanwhile, messages in view are not marked as read.
     */
    isKeptUnread: signal(false),
    /**
     * Resolves when the channel's events begin to arrive, or when the subscription fails. Wait for this before a read,
     * because events between an earlier read and the subscription would be missed.
     */
    subscribed: Promise.resolve(),
    readWithUpdates: recorder.readWithUpdates,
    /** The events may come in any order. */
    learn(envelopes: readonly Envelope[]) {
      chat.questions.value = envelopes.reduce(reduceQuestions, chat.questions.peek());
      chat.asks.value = envelopes.reduce(reduceAsks, chat.asks.peek());
      chat.openAsks.value = envelopes.reduce(reduceOpenAsks, chat.openAsks.peek());
    },
    /** The events must be in the order of the log. */
    apply(envelopes: readonly Envelope[]) {
      // If the reader is at the end, a change of the head marks the head as read at once. The batch delays this until
      // the replies are counted.
      batch(() => applyAll(envelopes));
    },
  };

  function applyAll(envelopes: readonly Envelope[]) {
    recorder.record(envelopes);
    const trim = chat.isFollowing.peek() ? 'oldest' : 'newest';
    chat.timeline.value = applyEvents(chat.timeline.peek(), envelopes, {
      max: timelineMax,
      trim,
    });
    const thread = chat.thread.peek();
    chat.thread.value =
      thread && applyEvents(thread, envelopes, { max: timelineMax, trim: 'oldest' });
    counter.apply(envelopes);
    chat.learn(envelopes);
    chat.members.value = envelopes.reduce(reduceMembers, chat.members.peek());
    chat.presences.value = envelopes.reduce(reducePresences, chat.presences.peek());
    chat.threads.value = envelopes.reduce(reduceThreads, chat.threads.peek());
    for (const envelope of envelopes) {
      const { event } = envelope;
      chat.typing.value = reduceTyping(chat.typing.peek(), envelope, now());
      if (event.type === 'channel.update' || event.type === 'channel.archive') {
        chat.channel.value = event.channel;
      }
    }
  }
  return chat;
}

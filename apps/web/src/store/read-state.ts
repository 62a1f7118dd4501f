import { computed, effect } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import type { Envelope, ResultOf } from '@openclaw/protocol';
import type { FailureReports } from '../page/notices.ts';
import type { Chat } from './chat.ts';
import type { ReadMark, ReadMarks } from './read-marks.ts';
import { createUpdateRecorder, type ReadWithUpdates } from './read-with-updates.ts';
import { createTimers } from './timers.ts';

const markDelayMs = 600;

/** Keeps the read mark and the unread count of each channel equal to the hub's, and to those of the other tabs. */
export function createReadState(
  client: HubClient,
  marks: ReadMarks,
  { reportWhileLive }: FailureReports,
) {
  const recorder = createUpdateRecorder();
  const timers = createTimers<Chat>();
  /** The read marks that the hub has confirmed. */
  const confirmed = new WeakMap<Chat, number>();
  /** Chats whose new replies of an earlier visit were restored, with the end of keeping their new replies. */
  const restored = new Map<Chat, () => void>();

  function restoreReplies(chat: Chat) {
    if (restored.has(chat)) return;
    chat.counter.restore(marks.repliesOf(chat.id));
    // Counts change with each message; the replies are kept only when the threads change.
    const threads = computed(() => chat.unread.value.threads);
    const keep = () => {
      marks.keepReplies(chat.id, threads.value.size === 0 ? [] : chat.counter.replies());
    };
    restored.set(chat, effect(keep));
  }

  function sendMark(chat: Chat) {
    const { seq } = chat.unread.peek();
    if (seq <= (confirmed.get(chat) ?? 0)) return;
    client
      .channel(chat.id)
      .markRead(seq)
      .then(() => confirmed.set(chat, Math.max(seq, confirmed.get(chat) ?? 0)))
      // `apply` sends the mark again, because the read state is loaded after each reconnect.
      .catch(reportWhileLive('The read mark was not saved'));
  }

  const sendMarkSoon = (chat: Chat) => timers.start(chat, markDelayMs, () => sendMark(chat));

  return {
    record: recorder.record,
    /** Reads the state of all channels from the hub. */
    load: () => recorder.readWithUpdates(() => client.readState()),
    /** Applies the result of `load` to the chats that are known by now. */
    apply(
      { result, updates }: ReadWithUpdates<ResultOf<'read.state'>>,
      chatOf: (channelId: string) => Chat | undefined,
    ) {
      for (const { channelId, ...state } of result.channels) {
        const chat = chatOf(channelId);
        if (chat === undefined) continue;
        confirmed.set(chat, state.seq);
        if (chat.unread.peek().seq > state.seq) sendMarkSoon(chat);
        chat.counter.fromHub(state);
        restoreReplies(chat);
        // An event that arrived during the read is counted once: it is known already, or later than the hub's count.
        chat.counter.apply(
          updates.filter((envelope: Envelope) => envelope.channelId === channelId),
        );
      }
    },
    /** The reader has seen the channel up to this seq. The hub is told soon, the other tabs at once. */
    markSeen(chat: Chat, seq: number) {
      if (seq <= (confirmed.get(chat) ?? 0) && seq <= chat.unread.peek().seq) return;
      chat.counter.markTo(seq);
      marks.tell({ channelId: chat.id, threadId: null, seq });
      sendMarkSoon(chat);
    },
    /** The reader has seen the thread up to this seq. */
    markThreadSeen(chat: Chat, threadId: string, seq: number) {
      if (!chat.unread.peek().threads.has(threadId)) return;
      chat.counter.markThread(threadId, seq);
      marks.tell({ channelId: chat.id, threadId, seq });
    },
    /** Takes a mark of another tab, which tells the hub itself. */
    takeMark(chat: Chat, { threadId, seq }: ReadMark) {
      if (threadId === null) chat.counter.markTo(seq);
      else chat.counter.markThread(threadId, seq);
    },
    /** Drops the state of a channel that was deleted or left, or whose seqs belong to another epoch. */
    forget(chat: Chat) {
      timers.cancel(chat);
      confirmed.delete(chat);
      restored.get(chat)?.();
      restored.delete(chat);
      chat.counter.reset();
    },
    close() {
      timers.close();
      for (const stop of restored.values()) stop();
    },
  };
}

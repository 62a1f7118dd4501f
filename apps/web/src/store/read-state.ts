import { computed, effect } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import type { Envelope, ResultOf } from '@openclaw/protocol';
import type { FailureReports } from '../page/notices.ts';
import type { Chat } from './chat.ts';
import type { ReadMark, ReadMarks } from './read-marks.ts';
import { createUpdateRecorder, type ReadWithUpdates } from './read-with-updates.ts';
import { createTimers } from './timers.ts';

const markDelayMs = 600;

/** Keeps each channel's read mark and unread count equal to those of the hub and of the other tabs. */
export function createReadState(
  client: HubClient,
  marks: ReadMarks,
  { reportWhileLive }: FailureReports,
) {
  const recorder = createUpdateRecorder();
  const timers = createTimers<Chat>();
  const confirmed = new WeakMap<Chat, number>();
  /** Counts how often the mark of a channel moved back. */
  const backs = new WeakMap<Chat, number>();
  /** Maps a chat with restored replies to the function that stops storing its new replies. */
  const restored = new Map<Chat, () => void>();

  function restoreReplies(chat: Chat) {
    if (restored.has(chat)) return;
    chat.counter.restore(marks.repliesOf(chat.id));
    // Counts change with each message, but the replies are stored only when the threads change.
    const threads = computed(() => chat.unread.value.threads);
    const keep = () => {
      marks.keepReplies(chat.id, threads.value.size === 0 ? [] : chat.counter.replies());
    };
    restored.set(chat, effect(keep));
  }

  function sendMark(chat: Chat) {
    const { seq } = chat.unread.peek();
    if (seq <= (confirmed.get(chat) ?? 0)) return;
    const before = backs.get(chat);
    client
      .channel(chat.id)
      .markRead(seq)
      .then(() => {
        // If the mark moved back during the call, `confirmed` already has the lower mark.
        if (backs.get(chat) === before)
          confirmed.set(chat, Math.max(seq, confirmed.get(chat) ?? 0));
      })
      // A failed call is not repeated here: the read state is loaded after each reconnect, and `apply` then sends the
      // mark.
      .catch(reportWhileLive('The read mark was not saved'));
  }

  function goBack(chat: Chat, seq: number) {
    backs.set(chat, (backs.get(chat) ?? 0) + 1);
    confirmed.set(chat, Math.min(seq, confirmed.get(chat) ?? 0));
    chat.isKeptUnread.value = true;
    const loaded = chat.timeline.peek().entries.flatMap((entry) => {
      return entry.kind === 'message' ? [entry.message] : [];
    });
    chat.counter.backTo(seq, loaded);
  }

  const sendMarkSoon = (chat: Chat) => timers.start(chat, markDelayMs, () => sendMark(chat));

  const load = () => recorder.readWithUpdates(() => client.readState());

  function apply(
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
      // Also applies the events that arrived while the state was loaded. The counter counts no event twice, even if the
      // hub has counted it.
      chat.counter.apply(updates.filter((envelope: Envelope) => envelope.channelId === channelId));
    }
  }

  async function reload(chat: Chat) {
    apply(await load(), (channelId) => (channelId === chat.id ? chat : undefined));
  }

  return {
    record: recorder.record,
    load,
    apply,
    reload,
    /** The other tabs learn of the mark at once, the hub soon after. */
    markSeen(chat: Chat, seq: number) {
      if (seq <= (confirmed.get(chat) ?? 0) && seq <= chat.unread.peek().seq) return;
      chat.counter.markTo(seq);
      marks.tell({ channelId: chat.id, threadId: null, seq });
      sendMarkSoon(chat);
    },
    async markUnread(chat: Chat, seq: number) {
      timers.cancel(chat);
      goBack(chat, seq);
      await client.channel(chat.id).markRead(seq, { back: true });
      marks.tell({ channelId: chat.id, threadId: null, seq, isBack: true });
    },
    markThreadSeen(chat: Chat, threadId: string, seq: number) {
      if (!chat.unread.peek().threads.has(threadId)) return;
      chat.counter.markThread(threadId, seq);
      marks.tell({ channelId: chat.id, threadId, seq });
    },
    /** Applies a mark that another tab has set. The hub is not told here, because that tab tells it. */
    takeMark(chat: Chat, { threadId, seq, isBack }: ReadMark) {
      if (isBack) {
        goBack(chat, seq);
        // Only the hub can count messages that this tab has not loaded.
        void reload(chat).catch(reportWhileLive('The new messages could not be counted'));
      } else if (threadId === null) chat.counter.markTo(seq);
      else chat.counter.markThread(threadId, seq);
    },
    /** Call it when the channel was deleted or left, or when its seqs belong to another epoch. */
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

import type { HubClient } from '@openclaw/client';
import type { Envelope, ResultOf } from '@openclaw/protocol';
import type { FailureReports } from '../page/notices.ts';
import type { Chat } from './chat.ts';
import { createUpdateRecorder, type ReadWithUpdates } from './read-with-updates.ts';
import { countUnread, nothingUnread } from './reducers.ts';
import { createTimers } from './timers.ts';

const markDelayMs = 600;

/** Keeps the read mark and the unread count of each channel equal to the hub's. */
export function createReadState(
  client: HubClient,
  me: string,
  { reportWhileLive }: FailureReports,
) {
  const recorder = createUpdateRecorder();
  const timers = createTimers<Chat>();
  /** The read marks that the hub has confirmed. */
  const confirmed = new WeakMap<Chat, number>();

  function sendMarkSoon(chat: Chat) {
    timers.start(chat, markDelayMs, () => {
      const { seq } = chat.unread.peek();
      client
        .channel(chat.id)
        .markRead(seq)
        .then(() => confirmed.set(chat, Math.max(seq, confirmed.get(chat) ?? 0)))
        // `apply` repeats the call after each reconnect, when the read state is loaded.
        .catch(reportWhileLive('The read mark was not saved'));
    });
  }

  return {
    record: recorder.record,
    /** Reads the state of all channels from the hub. */
    load: () => recorder.readWithUpdates(() => client.readState()),
    /** Applies the result of `load` to the chats that are known by now. */
    apply(
      { result, updates }: ReadWithUpdates<ResultOf<'read.state'>>,
      chatOf: (channelId: string) => Chat | undefined,
    ) {
      for (const { channelId, seq, head, unread, mentions } of result.channels) {
        const chat = chatOf(channelId);
        if (chat === undefined) continue;
        confirmed.set(chat, seq);
        if (chat.unread.peek().seq > seq) {
          sendMarkSoon(chat);
          continue;
        }
        const fromHub = { seq, countedTo: head, count: unread, mentions };
        const isHere = (envelope: Envelope) => envelope.channelId === channelId;
        chat.unread.value = countUnread(fromHub, updates.filter(isHere), me);
      }
    },
    /** Marks the channel as read up to its newest event, and sends the mark to the hub soon. */
    markRead(chat: Chat) {
      const { head } = chat.timeline.peek();
      const unread = chat.unread.peek();
      if (head <= (confirmed.get(chat) ?? 0) && unread.count === 0) return;
      const seq = Math.max(head, unread.seq);
      chat.unread.value = { ...unread, seq, count: 0, mentions: 0 };
      sendMarkSoon(chat);
    },
    /** Drops the state of a channel that was deleted or left, or whose seqs belong to another epoch. */
    forget(chat: Chat) {
      timers.cancel(chat);
      confirmed.delete(chat);
      chat.unread.value = nothingUnread;
    },
    close: () => timers.close(),
  };
}

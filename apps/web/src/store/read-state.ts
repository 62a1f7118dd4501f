import type { HubClient } from '@openclaw/client';
import type { Envelope, ResultOf } from '@openclaw/protocol';
import type { Chat } from './chat.ts';
import { createMeanwhile, type Answer } from './read-with-updates.ts';
import { countUnread, nothingUnread } from './unread.ts';

/** What the hub said is unread, and what was heard while it said so. */
export type UnreadAnswer = Answer<ResultOf<'read.state'>>;

/** Keeps what is unread in each channel, here and at the hub. */
export interface ReadMarks {
  hear(envelopes: readonly Envelope[]): void;
  /** Asks the hub what is unread everywhere. */
  ask(): Promise<UnreadAnswer>;
  /** Takes in its answer, of a chat that is known by then. */
  take(answer: UnreadAnswer, chatOf: (channelId: string) => Chat | undefined): void;
  /** The channel was read to its newest event: tells the hub, soon. */
  markRead(chat: Chat): void;
  /** Nothing that was known of the channel holds any more. */
  forget(chat: Chat): void;
  close(): void;
}

const delayMs = 600;

/** `onError` gets what went wrong in the background. */
export function createReadMarks(
  client: HubClient,
  me: string,
  onError: (what: string, error: unknown) => void,
): ReadMarks {
  const meanwhile = createMeanwhile();
  const timers = new Map<Chat, ReturnType<typeof setTimeout>>();
  /** How far the hub knows a channel to be read. */
  const told = new WeakMap<Chat, number>();

  function tellSoon(chat: Chat) {
    if (timers.has(chat)) return;
    const timer = setTimeout(() => {
      timers.delete(chat);
      const { seq } = chat.unread.peek();
      client
        .channel(chat.id)
        .markRead(seq)
        .then(
          () => told.set(chat, Math.max(seq, told.get(chat) ?? 0)),
          // It is told again when the hub is asked next, which it is after each reconnect.
          (error: unknown) => {
            if (client.state === 'live') onError('The read mark was not kept', error);
          },
        );
    }, delayMs);
    timers.set(chat, timer);
  }

  return {
    hear: (envelopes) => meanwhile.hear(envelopes),
    ask: () => meanwhile.ask(() => client.readState()),
    take({ answer, meanwhile: heard }, chatOf) {
      for (const { channelId, seq, head, unread, mentions } of answer.channels) {
        const chat = chatOf(channelId);
        if (chat === undefined) continue;
        told.set(chat, seq);
        // Read on since then.
        if (chat.unread.peek().seq > seq) {
          tellSoon(chat);
          continue;
        }
        const counted = { seq, countedTo: head, count: unread, mentions };
        const isHere = (envelope: Envelope) => envelope.channelId === channelId;
        chat.unread.value = countUnread(counted, heard.filter(isHere), me);
      }
    },
    markRead(chat) {
      const { head } = chat.timeline.peek();
      const unread = chat.unread.peek();
      if (head <= (told.get(chat) ?? 0) && unread.count === 0) return;
      const seq = Math.max(head, unread.seq);
      chat.unread.value = { ...unread, seq, count: 0, mentions: 0 };
      tellSoon(chat);
    },
    forget(chat) {
      clearTimeout(timers.get(chat));
      timers.delete(chat);
      told.delete(chat);
      chat.unread.value = nothingUnread;
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

import type { HubClient } from '@openclaw/client';
import {
  isOfReply,
  membersAfter,
  presencesAfter,
  threadsAfter,
  type Members,
  type Presences,
} from './reducers.ts';
import { allPages } from './all-pages.ts';
import type { Chat } from './chat.ts';
import type { Threads } from './threads.ts';

/** Reads from the hub what stands beside a channel's conversation. */
export interface ChatReader {
  presences(chat: Chat): Promise<void>;
  members(chat: Chat): Promise<void>;
  threads(chat: Chat): Promise<void>;
  /** Reads the threads again in a second: an answer may have counted a reply whose event came after it. */
  recountReplies(chat: Chat): void;
  /** Ends what is still to be done for the channel. */
  forget(chat: Chat): void;
}

const pageSize = 200;
const recountDelayMs = 1_000;

/** What is heard while an answer is on its way may be newer than it, and so comes after it. */
export function createChatReader(
  client: HubClient,
  onError: (what: string, error: unknown) => void,
): ChatReader {
  const recounts = new Map<Chat, ReturnType<typeof setTimeout>>();

  const reader: ChatReader = {
    async presences(chat) {
      const channel = client.channel(chat.id);
      const { answer, meanwhile } = await chat.ask(() =>
        allPages(async (cursor) => {
          const { presences, nextCursor } = await channel.presence({ cursor, limit: pageSize });
          return { items: presences, nextCursor };
        }),
      );
      chat.presences.value = meanwhile.reduce(
        (presences: Presences, { event }) => presencesAfter(presences, event),
        new Map(answer.items.map((presence) => [presence.agentId, presence])),
      );
    },
    async members(chat) {
      const channel = client.channel(chat.id);
      const { answer, meanwhile } = await chat.ask(() =>
        allPages(async (cursor) => {
          const { members, nextCursor } = await channel.members({ cursor, limit: pageSize });
          return { items: members, nextCursor };
        }),
      );
      chat.members.value = meanwhile.reduce(
        (members: Members, { event }) => membersAfter(members, event),
        new Map(answer.items.map((member) => [member.agentId, member])),
      );
    },
    async threads(chat) {
      const channel = client.channel(chat.id);
      const { answer, meanwhile } = await chat.ask(() =>
        allPages(async (cursor) => {
          const { threads, nextCursor } = await channel.threads({ cursor, limit: pageSize });
          return { items: threads, nextCursor };
        }),
      );
      // The oldest come first: of more than can be read here, the newest are known by their events.
      const known = answer.isWhole ? [] : chat.threads.peek();
      // Whether the answer has counted these replies cannot be told from it.
      if (meanwhile.some(({ event }) => isOfReply(event))) reader.recountReplies(chat);
      chat.threads.value = meanwhile.reduce(
        (threads: Threads, { event }) => threadsAfter(threads, event),
        new Map([...known, ...answer.items.map((thread) => [thread.threadId, thread] as const)]),
      );
    },
    recountReplies(chat) {
      if (recounts.has(chat)) return;
      const timer = setTimeout(() => {
        recounts.delete(chat);
        reader.threads(chat).catch((error: unknown) => {
          if (client.state === 'live') onError('Replies could not be counted', error);
        });
      }, recountDelayMs);
      recounts.set(chat, timer);
    },
    forget(chat) {
      clearTimeout(recounts.get(chat));
      recounts.delete(chat);
    },
  };
  return reader;
}

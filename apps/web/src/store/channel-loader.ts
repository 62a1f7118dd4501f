import { HubError, type HubClient } from '@openclaw/client';
import type { FailureReports } from '../page/notices.ts';
import { allPages } from './all-pages.ts';
import { withAsk, type AskAnswers } from './asks.ts';
import type { Chat } from './chat.ts';
import { withQuestion, type Questions } from './questions.ts';
import {
  changesReplyCount,
  reduceMembers,
  reducePresences,
  reduceThreads,
  type Members,
  type Presences,
  type Threads,
} from './reducers.ts';
import { createTimers } from './timers.ts';

const noneCodes: ReadonlySet<string> = new Set(['invalid', 'forbidden', 'not_found']);
const pageSize = 200;
const recountDelayMs = 1_000;

/** Events that arrive during a read are applied to its result. */
export function createChannelLoader(client: HubClient, { reportWhileLive }: FailureReports) {
  const recounts = createTimers<Chat>();

  async function loadThreads(chat: Chat) {
    const channel = client.channel(chat.id);
    const { result, updates } = await chat.readWithUpdates(() =>
      allPages((page) => channel.threads({ ...page, limit: pageSize }), 'threads'),
    );
    // The list starts with the oldest threads. If it is incomplete, the newest threads are known
    // only from their events.
    const known = result.isComplete ? [] : chat.threads.peek();
    if (updates.some(({ event }) => changesReplyCount(event))) recountReplies(chat);
    const loaded = result.items.map((thread) => [thread.threadId, thread] as const);
    chat.threads.value = updates.reduce<Threads>(reduceThreads, new Map([...known, ...loaded]));
  }

  /**
   * A result may already count a reply whose event arrives later. That event counts the reply again, so the threads are
   * loaded once more after a second.
   */
  function recountReplies(chat: Chat) {
    recounts.start(chat, recountDelayMs, () => {
      loadThreads(chat).catch(reportWhileLive('Replies could not be counted'));
    });
  }

  return {
    loadThreads,
    recountReplies,
    async loadPresences(chat: Chat) {
      const channel = client.channel(chat.id);
      const { result, updates } = await chat.readWithUpdates(() =>
        allPages((page) => channel.presence({ ...page, limit: pageSize }), 'presences'),
      );
      chat.presences.value = updates.reduce<Presences>(reducePresences, byAgent(result.items));
    },
    async loadMembers(chat: Chat) {
      const channel = client.channel(chat.id);
      const { result, updates } = await chat.readWithUpdates(() =>
        allPages((page) => channel.members({ ...page, limit: pageSize }), 'members'),
      );
      chat.members.value = updates.reduce<Members>(reduceMembers, byAgent(result.items));
    },
    /** Loads the newest questions, and the newest asks to and from this agent. Older ones are known from the log. */
    async loadDecisions({ id, questions, asks }: Chat) {
      const page = { channelId: id, limit: pageSize };
      // An older hub (during an upgrade) has neither questions nor asks. An observer has no asks in the channel.
      const orNone =
        <T>(none: T) =>
        (error: unknown) => {
          if (error instanceof HubError && noneCodes.has(error.code)) return none;
          throw error;
        };
      const [open, own] = await Promise.all([
        client.questions(page).catch(orNone({ questions: [] })),
        client.asks(page).catch(orNone({ asks: [] })),
      ]);
      questions.value = open.questions.reduceRight<Questions>(withQuestion, questions.peek());
      asks.value = own.asks.reduceRight<AskAnswers>(withAsk, asks.peek());
    },
    forget: (chat: Chat) => recounts.cancel(chat),
    close: () => recounts.close(),
  };
}

function byAgent<T extends { readonly agentId: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.agentId, item]));
}

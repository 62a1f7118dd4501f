import type { HubClient } from '@openclaw/client';
import type { Envelope, Message } from '@openclaw/protocol';
import { timelineMax, type Chat } from './chat.ts';
import { addPage, applyEvents, emptyTimeline, isHappening, type Page } from './timeline.ts';

/** Pages a channel's past into its timeline. */
export interface History {
  /** Reads the newest page in place of what is there. */
  newest(): Promise<void>;
  older(): Promise<void>;
  newer(): Promise<void>;
  openThread(threadId: string): Promise<void>;
  closeThread(): void;
}

const pageSize = 60;
const threadPageSize = 200;
const logPageMax = 1_000;

/** One question of each kind at a time; a second one while it is on its way shares its answer. */
export function createHistory(client: HubClient, chat: Chat): History {
  const channel = client.channel(chat.id);
  const underWay = new Map<string, Promise<void>>();

  function once(name: string, work: () => Promise<void>): Promise<void> {
    const running = underWay.get(name);
    if (running !== undefined) return running;
    const started = overlapping(work).finally(() => underWay.delete(name));
    underWay.set(name, started);
    return started;
  }

  async function overlapping(work: () => Promise<void>) {
    chat.overlap.readers += 1;
    try {
      await work();
    } finally {
      chat.overlap.readers -= 1;
      if (chat.overlap.readers === 0) chat.overlap.events = [];
    }
  }

  /** What else happened between these seqs; the bound of one page of the log is enough to show what matters. */
  async function happenings(after: number, until: number): Promise<Envelope[]> {
    if (until <= after) return [];
    const limit = Math.min(logPageMax, until - after);
    const { events } = await channel.log({ after: until - limit, limit });
    return events.filter(isHappening);
  }

  async function read(side: 'newest' | 'older' | 'newer') {
    const { entries, head } = chat.timeline.peek();
    const [first, last] = [entries[0]?.seq ?? head + 1, entries.at(-1)?.seq ?? 0];
    const edge = side === 'newest' ? {} : side === 'older' ? { before: first } : { after: last };
    const page = await channel.history({ ...edge, limit: pageSize });
    const { hasMore } = page;
    const seqs = page.messages.map((message: Message) => message.seq);
    const from = side === 'newer' ? last : hasMore ? (seqs[0] ?? 1) - 1 : 0;
    const until =
      side === 'newest'
        ? page.head
        : side === 'older'
          ? first - 1
          : hasMore
            ? (seqs.at(-1) ?? last)
            : page.head;
    put({ ...page, happenings: await happenings(from, until) }, side);
  }

  function put(page: Page, side: 'newest' | 'older' | 'newer') {
    const next = addPage(chat.timeline.peek(), page, side, timelineMax);
    const limit = { max: timelineMax, trim: 'newest' as const };
    chat.timeline.value = applyEvents(next, chat.overlap.events, limit);
  }

  return {
    newest: () => once('newest', () => read('newest')),
    older: () => once('older', () => read('older')),
    newer: () => once('newer', () => read('newer')),
    async openThread(threadId) {
      chat.thread.value = emptyTimeline(threadId);
      await overlapping(async () => {
        const page = await channel.history({ threadId, limit: threadPageSize });
        const thread = chat.thread.peek();
        if (thread?.threadId !== threadId) return;
        const loaded = addPage(thread, { ...page, happenings: [] }, 'newest', timelineMax);
        const limit = { max: timelineMax, trim: 'oldest' as const };
        chat.thread.value = applyEvents(loaded, chat.overlap.events, limit);
      });
    },
    closeThread() {
      chat.thread.value = null;
    },
  };
}

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
  /** Reads what stands before the open thread's first entry. */
  olderReplies(): Promise<void>;
  closeThread(): void;
}

const pageSize = 60;
const threadPageSize = 200;
const logPageMax = 1_000;

type Side = 'newest' | 'older' | 'newer';

/** One question of each kind at a time; a second one while it is on its way shares its answer. */
export function createHistory(client: HubClient, chat: Chat): History {
  const channel = client.channel(chat.id);
  const underWay = new Map<string, Promise<void>>();

  function once(name: string, work: () => Promise<void>): Promise<void> {
    const running = underWay.get(name);
    if (running !== undefined) return running;
    const started = work().finally(() => underWay.delete(name));
    underWay.set(name, started);
    return started;
  }

  /** What else happened between these seqs; the bound of one page of the log is enough to show what matters. */
  async function happenings(after: number, until: number): Promise<Envelope[]> {
    if (until <= after) return [];
    const limit = Math.min(logPageMax, until - after);
    const { events } = await channel.log({ after: until - limit, limit });
    return events.filter(isHappening);
  }

  async function page(side: Side): Promise<Page> {
    const { entries, head } = chat.timeline.peek();
    const [first, last] = [entries[0]?.seq ?? head + 1, entries.at(-1)?.seq ?? 0];
    const edge = side === 'newest' ? {} : side === 'older' ? { before: first } : { after: last };
    const found = await channel.history({ ...edge, limit: pageSize });
    const { hasMore } = found;
    const seqs = found.messages.map((message: Message) => message.seq);
    const from = side === 'newer' ? last : hasMore ? (seqs[0] ?? 1) - 1 : 0;
    const until =
      side === 'newest'
        ? found.head
        : side === 'older'
          ? first - 1
          : hasMore
            ? (seqs.at(-1) ?? last)
            : found.head;
    return { ...found, happenings: await happenings(from, until) };
  }

  async function read(side: Side) {
    const { answer, meanwhile } = await chat.ask(() => page(side));
    const next = addPage(chat.timeline.peek(), answer, side, timelineMax);
    chat.timeline.value = applyEvents(next, meanwhile, { max: timelineMax, trim: 'newest' });
  }

  return {
    newest: () => once('newest', () => read('newest')),
    older: () => once('older', () => read('older')),
    newer: () => once('newer', () => read('newer')),
    async openThread(threadId) {
      chat.thread.value = emptyTimeline(threadId);
      const { answer, meanwhile } = await chat.ask(() =>
        channel.history({ threadId, limit: threadPageSize }),
      );
      const thread = chat.thread.peek();
      if (thread?.threadId !== threadId) return;
      const loaded = addPage(thread, { ...answer, happenings: [] }, 'newest', timelineMax);
      chat.thread.value = applyEvents(loaded, meanwhile, { max: timelineMax, trim: 'oldest' });
    },
    async olderReplies() {
      const { threadId = null, entries: [first] = [] } = chat.thread.peek() ?? {};
      if (threadId === null || first === undefined) return;
      const { answer, meanwhile } = await chat.ask(() =>
        channel.history({ threadId, before: first.seq, limit: threadPageSize }),
      );
      const thread = chat.thread.peek();
      if (thread?.threadId !== threadId) return;
      const loaded = addPage(thread, { ...answer, happenings: [] }, 'older', timelineMax);
      chat.thread.value = applyEvents(loaded, meanwhile, { max: timelineMax, trim: 'newest' });
    },
    closeThread() {
      chat.thread.value = null;
    },
  };
}

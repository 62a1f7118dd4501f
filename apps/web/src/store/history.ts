import type { HubClient } from '@openclaw/client';
import type { Envelope } from '@openclaw/protocol';
import { timelineMax, type Chat } from './chat.ts';
import { addPage, applyEvents, emptyTimeline, isSystemEvent, type Page } from './timeline.ts';

const pageSize = 60;
const threadPageSize = 200;
const logPageMax = 1_000;

type Side = 'newest' | 'older' | 'newer';

export type History = ReturnType<typeof createHistory>;

/** Pages a channel's history into its timeline. Calls of one kind share the read that is in progress. */
export function createHistory(client: HubClient, chat: Chat) {
  const channel = client.channel(chat.id);
  const underWay = new Map<string, Promise<void>>();

  function once(name: string, read: () => Promise<void>): Promise<void> {
    const running = underWay.get(name);
    if (running !== undefined) return running;
    const started = read().finally(() => underWay.delete(name));
    underWay.set(name, started);
    return started;
  }

  /** The newest system events between these seqs, as many as one page of the log holds. */
  async function readSystemEvents(after: number, until: number): Promise<Envelope[]> {
    const found: Envelope[] = [];
    // A page with large events ends early, so more than one may be needed.
    for (let last = Math.max(after, until - logPageMax); last < until;) {
      const { events, hasMore } = await channel.log({ after: last, limit: until - last });
      found.push(...events.filter(isSystemEvent));
      last = hasMore ? (events.at(-1)?.seq ?? until) : until;
    }
    return found;
  }

  async function readPage(side: Side): Promise<Page> {
    const { entries, head } = chat.timeline.peek();
    const [first, last] = [entries[0]?.seq ?? head + 1, entries.at(-1)?.seq ?? 0];
    const edge = side === 'newest' ? {} : side === 'older' ? { before: first } : { after: last };
    const page = await channel.history({ ...edge, limit: pageSize });
    const { messages, hasMore } = page;
    const after = side === 'newer' ? last : hasMore ? (messages[0]?.seq ?? 1) - 1 : 0;
    const newest = side === 'newer' && hasMore ? (messages.at(-1)?.seq ?? last) : page.head;
    const until = side === 'older' ? first - 1 : newest;
    return { ...page, systemEvents: await readSystemEvents(after, until) };
  }

  async function read(side: Side) {
    const before = chat.timeline.peek().entries;
    const { result, updates } = await chat.readWithUpdates(() => readPage(side));
    const timeline = chat.timeline.peek();
    // Drop the page when the timeline that it continues was replaced during the read.
    if (side === 'older' && timeline.entries[0]?.seq !== before[0]?.seq) return;
    if (side === 'newer' && timeline.entries.at(-1)?.seq !== before.at(-1)?.seq) return;
    const next = addPage(timeline, result, side, timelineMax);
    chat.timeline.value = applyEvents(next, updates, { max: timelineMax, trim: 'newest' });
  }

  async function readThread(threadId: string, side: 'newest' | 'older') {
    const first = chat.thread.peek()?.entries[0]?.seq;
    const edge = side === 'older' && first !== undefined ? { before: first } : {};
    const { result, updates } = await chat.readWithUpdates(() =>
      channel.history({ ...edge, threadId, limit: threadPageSize }),
    );
    const thread = chat.thread.peek();
    if (thread?.threadId !== threadId) return;
    // Drop the page when the thread was replaced during the read, as in `read`.
    if (side === 'older' && thread.entries[0]?.seq !== first) return;
    const next = addPage(thread, { ...result, systemEvents: [] }, side, timelineMax);
    const trim = side === 'older' ? 'newest' : 'oldest';
    chat.thread.value = applyEvents(next, updates, { max: timelineMax, trim });
  }

  return {
    /** Replaces the timeline with the newest page. */
    newest: () => once('newest', () => read('newest')),
    older: () => once('older', () => read('older')),
    newer: () => once('newer', () => read('newer')),
    /** Like `newest`, but does not share a read in progress, whose result may be out of date. */
    reload: () => read('newest'),
    async openThread(threadId: string) {
      chat.thread.value = emptyTimeline(threadId);
      await readThread(threadId, 'newest');
    },
    olderReplies: () =>
      once('older replies', async () => {
        const threadId = chat.thread.peek()?.threadId;
        if (threadId) await readThread(threadId, 'older');
      }),
    closeThread(threadId: string) {
      // The view opens the next thread before it closes this one.
      if (chat.thread.peek()?.threadId === threadId) chat.thread.value = null;
    },
  };
}

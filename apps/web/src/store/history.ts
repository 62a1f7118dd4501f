import type { HubClient } from '@openclaw/client';
import type { Envelope, Message } from '@openclaw/protocol';
import { timelineMax, type Chat } from './chat.ts';
import { addPage, applyEvents, emptyTimeline, isSystemEvent, type Page } from './timeline.ts';

const pageSize = 60;
/** This many messages before the first new one show the context. */
const contextSize = 20;
// The newest page holds about this many new messages, besides replies and the reader's own
// messages.
const newInPageMax = 40;
const scannedPagesMax = 50;
const threadPageSize = 200;
const logPageMax = 1_000;

type Side = 'newest' | 'older' | 'newer';

export type History = ReturnType<typeof createHistory>;

/** Calls of one kind share the read that is in progress. */
export function createHistory(client: HubClient, chat: Chat, me: string) {
  const channel = client.channel(chat.id);
  const underWay = new Map<string, Promise<void>>();

  function once(name: string, read: () => Promise<void>): Promise<void> {
    const running = underWay.get(name);
    if (running !== undefined) return running;
    const started = read().finally(() => underWay.delete(name));
    underWay.set(name, started);
    return started;
  }

  /** Reads the newest events of the range, at most `logPageMax`, and returns the system events among them. */
  async function readSystemEvents(after: number, until: number): Promise<Envelope[]> {
    const found: Envelope[] = [];
    // A page with large events ends early, so several pages may be needed.
    for (let last = Math.max(after, until - logPageMax); last < until;) {
      const { events, hasMore } = await channel.log({ after: last, limit: until - last });
      chat.learn(events);
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
    chat.counter.learn(result.messages);
    const timeline = chat.timeline.peek();
    // The page is dropped when the timeline that it continues was replaced during the read.
    if (side === 'older' && timeline.entries[0]?.seq !== before[0]?.seq) return;
    if (side === 'newer' && timeline.entries.at(-1)?.seq !== before.at(-1)?.seq) return;
    const next = addPage(timeline, result, side, timelineMax);
    chat.timeline.value = applyEvents(next, updates, { max: timelineMax, trim: 'newest' });
  }

  async function readAround(seq: number) {
    const { result, updates } = await chat.readWithUpdates(async () => {
      const [older, newer] = await Promise.all([
        channel.history({ before: seq + 1, limit: contextSize }),
        channel.history({ after: seq, limit: pageSize }),
      ]);
      const messages = [...older.messages, ...newer.messages];
      const first = older.hasMore ? (messages[0]?.seq ?? seq) : 1;
      const last = newer.hasMore ? (messages.at(-1)?.seq ?? seq) : newer.head;
      const systemEvents = await readSystemEvents(first - 1, last);
      // The two reads may have different heads. The recorded updates contain all events after the lower head.
      const head = Math.min(older.head, newer.head);
      return { messages, systemEvents, head, older, newer };
    });
    const { older, newer, ...page } = result;
    chat.counter.learn(page.messages);
    const replaced = addPage(
      chat.timeline.peek(),
      { ...page, hasMore: older.hasMore },
      'newest',
      timelineMax,
    );
    const next = { ...replaced, hasNewer: newer.hasMore };
    chat.timeline.value = applyEvents(next, updates, { max: timelineMax, trim: 'newest' });
  }

  async function readThread(threadId: string, side: 'newest' | 'older') {
    const first = chat.thread.peek()?.entries[0]?.seq;
    const edge = side === 'older' && first !== undefined ? { before: first } : {};
    const { result, updates } = await chat.readWithUpdates(() =>
      channel.history({ ...edge, threadId, limit: threadPageSize }),
    );
    chat.counter.learn(result.messages);
    const thread = chat.thread.peek();
    if (thread?.threadId !== threadId) return;
    if (side === 'older' && thread.entries[0]?.seq !== first) return;
    const next = addPage(thread, { ...result, systemEvents: [] }, side, timelineMax);
    const trim = side === 'older' ? 'newest' : 'oldest';
    chat.thread.value = applyEvents(next, updates, { max: timelineMax, trim });
  }

  return {
    newest: () => once('newest', () => read('newest')),
    older: () => once('older', () => read('older')),
    newer: () => once('newer', () => read('newer')),
    /**
     * Shows the first new messages. If the newest page contains them, or if the reader never saw the channel, shows
     * the newest page. Does not share a read in progress, whose result may be out of date.
     */
    open() {
      const { seq, count } = chat.unread.peek();
      return seq > 0 && count > newInPageMax ? readAround(seq) : read('newest');
    },
    around: (seq: number) => once(`around ${seq}`, () => readAround(seq)),
    /** Returns the first message of another agent after the read mark. The timeline may not contain it. */
    async firstNew(): Promise<Message | null> {
      const { messages } = await channel.history({ after: chat.unread.peek().seq, limit: 20 });
      return (
        messages.find(({ senderId, threadId }) => senderId !== me && threadId === null) ?? null
      );
    },
    /**
     * Reads at most 10,000 messages after `after`, page by page. Null when none of them mentions the reader. Does not
     * change the timeline.
     */
    async findMention(after: number): Promise<Message | null> {
      for (let page = 0, last = after; page < scannedPagesMax; page += 1) {
        const { messages, hasMore } = await channel.history({ after: last, limit: threadPageSize });
        chat.counter.learn(messages);
        const found = messages.find(
          ({ senderId, mentions, mentionsAll, deletedAt }) =>
            deletedAt === null &&
            senderId !== me &&
            (mentions.includes(me) || mentionsAll === true),
        );
        if (found !== undefined) return found;
        last = messages.at(-1)?.seq ?? last;
        if (!hasMore) break;
      }
      return null;
    },
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
      // The view opens the next thread before it closes this one, so another thread may be open
      // now.
      if (chat.thread.peek()?.threadId === threadId) chat.thread.value = null;
    },
  };
}

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
  /** The same, not sharing an answer that is on its way and may be out of date. */
  anew(): Promise<void>;
  openThread(threadId: string): Promise<void>;
  /** Reads the page before what is there of the open thread. */
  olderReplies(): Promise<void>;
  closeThread(threadId: string): void;
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

  /** The other events between these seqs: the newest, as many as one page of the log holds. */
  async function happenings(after: number, until: number): Promise<Envelope[]> {
    const found: Envelope[] = [];
    // A page of long events ends early.
    for (let last = Math.max(after, until - logPageMax); last < until;) {
      const { events, hasMore } = await channel.log({ after: last, limit: until - last });
      found.push(...events.filter(isHappening));
      last = hasMore ? (events.at(-1)?.seq ?? until) : until;
    }
    return found;
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
    const { entries } = chat.timeline.peek();
    const { answer, meanwhile } = await chat.ask(() => page(side));
    const now = chat.timeline.peek().entries;
    // What it was to be joined to has been replaced meanwhile.
    if (side === 'older' && now[0]?.seq !== entries[0]?.seq) return;
    if (side === 'newer' && now.at(-1)?.seq !== entries.at(-1)?.seq) return;
    const next = addPage(chat.timeline.peek(), answer, side, timelineMax);
    chat.timeline.value = applyEvents(next, meanwhile, { max: timelineMax, trim: 'newest' });
  }

  async function readThread(threadId: string, side: 'newest' | 'older') {
    const first = chat.thread.peek()?.entries[0]?.seq;
    const edge = side === 'older' && first !== undefined ? { before: first } : {};
    const { answer, meanwhile } = await chat.ask(() =>
      channel.history({ ...edge, threadId, limit: threadPageSize }),
    );
    const thread = chat.thread.peek();
    if (thread?.threadId !== threadId) return;
    // What it was to stand before has been replaced meanwhile.
    if (side === 'older' && thread.entries[0]?.seq !== first) return;
    const next = addPage(thread, { ...answer, happenings: [] }, side, timelineMax);
    const trim = side === 'older' ? 'newest' : 'oldest';
    chat.thread.value = applyEvents(next, meanwhile, { max: timelineMax, trim });
  }

  return {
    newest: () => once('newest', () => read('newest')),
    anew: () => read('newest'),
    older: () => once('older', () => read('older')),
    newer: () => once('newer', () => read('newer')),
    async openThread(threadId) {
      chat.thread.value = emptyTimeline(threadId);
      await readThread(threadId, 'newest');
    },
    olderReplies: () =>
      once('older replies', async () => {
        const threadId = chat.thread.peek()?.threadId;
        if (threadId) await readThread(threadId, 'older');
      }),
    closeThread(threadId) {
      // Another may have been opened before this one is told to close.
      if (chat.thread.peek()?.threadId === threadId) chat.thread.value = null;
    },
  };
}

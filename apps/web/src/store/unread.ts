import { signal } from '@preact/signals';
import type { Envelope, Message } from '@openclaw/protocol';

export interface ThreadUnread {
  readonly count: number;
  readonly firstSeq: number;
}

export interface Unread {
  readonly seq: number;
  /** Replies that the page has loaded are counted in `threads` instead. */
  readonly count: number;
  readonly mentions: number;
  /** The keys are thread ids. A thread is removed when it is opened. */
  readonly threads: ReadonlyMap<string, ThreadUnread>;
}

/** `unread` counts replies too. */
export interface HubReadState {
  readonly seq: number;
  readonly head: number;
  readonly unread: number;
  readonly mentions: number;
}

export type StoredReply = readonly [seq: number, threadId: string, isMention: boolean];

type CountedMessage = Pick<
  Message,
  'seq' | 'senderId' | 'threadId' | 'mentions' | 'mentionsAll' | 'deletedAt'
>;

interface Item {
  readonly threadId: string | null;
  readonly isMention: boolean;
}

// Past this number, further messages are counted without an entry for each.
const itemsMax = 10_000;
const storedRepliesMax = 50;

const noThreads: Unread['threads'] = new Map();
export const nothingUnread: Unread = { seq: 0, count: 0, mentions: 0, threads: noThreads };

export type UnreadCounter = ReturnType<typeof createUnread>;

/**
 * Counts what the reader has not seen. The remainder is the number of messages that the hub counts and the page has not
 * loaded. A message leaves the remainder when the page loads it, so it is counted only once.
 */
export function createUnread(me: string) {
  const value = signal(nothingUnread);
  let mark = 0;
  /** Known new messages after the mark, and all known new replies, by seq. */
  let items = new Map<number, Item>();
  /** These replies after the mark were seen in their thread. The hub still counts them. */
  let seenReplies = new Map<number, Item>();
  /** Maps each thread to the seq up to which it was seen. */
  let threadMarks = new Map<string, number>();
  /** New messages that the page has not loaded, up to seq `to`. */
  let remainder = { to: 0, count: 0, mentions: 0 };

  function publish() {
    let { count, mentions } = remainder;
    const threads = new Map<string, ThreadUnread>();
    for (const [seq, { threadId, isMention }] of items) {
      if (isMention) mentions += 1;
      if (threadId === null) {
        count += 1;
        continue;
      }
      const known = threads.get(threadId);
      threads.set(threadId, {
        count: (known?.count ?? 0) + 1,
        firstSeq: Math.min(known?.firstSeq ?? seq, seq),
      });
    }
    const before = value.peek();
    const isSame =
      before.seq === mark &&
      before.count === count &&
      before.mentions === mentions &&
      isSameThreads(before.threads, threads);
    if (isSame) return;
    value.value = {
      seq: mark,
      count,
      mentions,
      threads: isSameThreads(before.threads, threads) ? before.threads : threads,
    };
  }

  function isNew({ seq, senderId, threadId, deletedAt }: CountedMessage): boolean {
    if (senderId === me || deletedAt !== null || seq <= mark) return false;
    return threadId === null || seq > (threadMarks.get(threadId) ?? 0);
  }

  function leaveRemainder(seq: number, isMention: boolean) {
    if (seq > remainder.to) return;
    const { to, count, mentions } = remainder;
    remainder = {
      to,
      count: Math.max(0, count - 1),
      mentions: Math.max(0, mentions - Number(isMention)),
    };
  }

  function add(message: CountedMessage) {
    const { seq, threadId } = message;
    if (!isNew(message) || items.has(seq)) return;
    const isMention = message.mentions.includes(me) || message.mentionsAll === true;
    leaveRemainder(seq, isMention);
    if (items.size < itemsMax) return void items.set(seq, { threadId, isMention });
    const { count, mentions } = remainder;
    remainder = { to: seq, count: count + 1, mentions: mentions + Number(isMention) };
  }

  function remove(message: CountedMessage) {
    if (items.delete(message.seq)) return;
    const isCounted = message.senderId !== me && message.seq > mark;
    if (isCounted && !seenReplies.has(message.seq)) leaveRemainder(message.seq, false);
  }

  return {
    value,
    learn(messages: readonly CountedMessage[]) {
      for (const message of messages) add(message);
      publish();
    },
    apply(envelopes: readonly Envelope[]) {
      let isChanged = false;
      for (const { event } of envelopes) {
        if (event.type === 'channel.message' || event.type === 'thread.message') add(event.message);
        else if (event.type === 'channel.message.delete') remove(event.message);
        else continue;
        isChanged = true;
      }
      if (isChanged) publish();
    },
    /** New replies in threads stay new. */
    markTo(seq: number) {
      if (seq <= mark) return;
      mark = seq;
      for (const [at, { threadId }] of items) if (threadId === null && at <= seq) items.delete(at);
      for (const at of seenReplies.keys()) if (at <= seq) seenReplies.delete(at);
      if (seq >= remainder.to) remainder = { to: 0, count: 0, mentions: 0 };
      publish();
    },
    /** `messages` are the messages that the page has loaded. The next `fromHub` counts the others after `seq`. */
    backTo(seq: number, messages: readonly CountedMessage[]) {
      if (seq >= mark) return;
      mark = seq;
      for (const message of messages) add(message);
      publish();
    },
    markThread(threadId: string, seq: number) {
      if (seq <= (threadMarks.get(threadId) ?? 0)) return;
      threadMarks.set(threadId, seq);
      for (const [at, item] of items) {
        if (item.threadId !== threadId || at > seq) continue;
        items.delete(at);
        if (at > mark) seenReplies.set(at, item);
      }
      publish();
    },
    /** The hub's mark is higher when the reader has read further in another browser. */
    fromHub({ seq, head, unread, mentions }: HubReadState) {
      // While the hub's mark is lower, the hub still counts messages that were seen here, so its count is ignored.
      if (seq < mark) return;
      mark = seq;
      for (const [at, { threadId }] of items) if (threadId === null && at <= mark) items.delete(at);
      const known = [...items, ...seenReplies].filter(([at]) => at > mark && at <= head);
      remainder = {
        to: head,
        count: Math.max(0, unread - known.length),
        mentions: Math.max(0, mentions - known.filter(([, item]) => item.isMention).length),
      };
      publish();
    },
    /** Finds the first mention of the reader after `seq`, among the unread messages and replies that the page knows. */
    mentionAfter(seq: number): { readonly seq: number; readonly threadId: string | null } | null {
      let first: number | null = null;
      for (const [at, { isMention }] of items) {
        if (isMention && at > seq && (first === null || at < first)) first = at;
      }
      return first === null ? null : { seq: first, threadId: items.get(first)?.threadId ?? null };
    },
    /** True when the hub counts new mentions in messages that the page has not loaded. */
    hasUnknownMentions: () => remainder.mentions > 0,
    /** Returns the newest replies, at most 50. */
    replies(): StoredReply[] {
      return [...items]
        .flatMap(([seq, { threadId, isMention }]): StoredReply[] =>
          threadId === null ? [] : [[seq, threadId, isMention]],
        )
        .sort(([one], [other]) => one - other)
        .slice(-storedRepliesMax);
    },
    /** Adds replies from an earlier visit. The read mark of a channel may already be past their seqs. */
    restore(replies: readonly StoredReply[]) {
      for (const [seq, threadId, isMention] of replies) {
        if (items.has(seq) || seq <= (threadMarks.get(threadId) ?? 0)) continue;
        if (seq > mark) leaveRemainder(seq, isMention);
        items.set(seq, { threadId, isMention });
      }
      publish();
    },
    /** Call it when the channel was left, or when its seqs belong to another epoch. */
    reset() {
      mark = 0;
      items = new Map();
      seenReplies = new Map();
      threadMarks = new Map();
      remainder = { to: 0, count: 0, mentions: 0 };
      publish();
    },
  };
}

function isSameThreads(a: Unread['threads'], b: Unread['threads']): boolean {
  if (a.size !== b.size) return false;
  for (const [threadId, { count, firstSeq }] of b) {
    const other = a.get(threadId);
    if (other?.count !== count || other.firstSeq !== firstSeq) return false;
  }
  return true;
}

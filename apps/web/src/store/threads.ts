import type { Message, Thread } from '@openclaw/protocol';

/** What the page knows of a channel's threads, by the id of their root. */
export type Threads = ReadonlyMap<string, Thread>;

/** Counts a reply; the first one makes the thread. */
export function withReply(threads: Threads, reply: Message): Threads {
  const { threadId, channelId, senderId, timestamp } = reply;
  if (threadId === null) return threads;
  const known = threads.get(threadId);
  const next: Thread =
    known === undefined
      ? {
          ...{ threadId, channelId, title: null, replies: 1 },
          ...{ createdBy: senderId, createdAt: timestamp },
        }
      : { ...known, replies: known.replies + 1 };
  return withThread(threads, next);
}

/** Counts a deleted reply no more. */
export function withoutReply(threads: Threads, { threadId }: Message): Threads {
  const known = threadId === null ? undefined : threads.get(threadId);
  if (known === undefined) return threads;
  return withThread(threads, { ...known, replies: Math.max(0, known.replies - 1) });
}

/** Takes in what a thread now is. */
export function withThread(threads: Threads, thread: Thread): Threads {
  return new Map(threads).set(thread.threadId, thread);
}

/** What stands below a root message: the thread's title where it has one, and how many replied. */
export function threadText({ title, replies }: Thread): string | null {
  const count = replies === 1 ? '1 reply' : `${replies} replies`;
  if (title !== null) return `${title} · ${count}`;
  return replies === 0 ? null : count;
}

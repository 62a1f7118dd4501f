import type { KeyedStorage } from '../page/page-base.ts';
import type { StoredReply } from './unread.ts';

/** Another tab has seen the channel, or one of its threads, up to this mark. */
export interface ReadMark {
  readonly channelId: string;
  readonly threadId: string | null;
  readonly seq: number;
  /** True if the messages after the seq were marked as unread. */
  readonly isBack?: boolean;
}

export type ReadMarks = Omit<ReturnType<typeof createReadMarks>, 'close'>;

const keepDelayMs = 1_000;
const channelsMax = 300;

/**
 * Shares read marks with the agent's other tabs. Keeps new replies in the browser, because the hub
 * has no read marks of threads. `name` contains the hub's address and the agent's id.
 */
export function createReadMarks(storage: KeyedStorage, name: string) {
  const key = `openclaw.replies.${name}`;
  const channel = new BroadcastChannel(`openclaw.read ${name}`);
  const replies = readReplies(storage, key);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function keep() {
    timer = undefined;
    try {
      storage.setItem(key, JSON.stringify([...replies].slice(-channelsMax)));
    } catch {
      // The storage is full. After a reload, only the hub's read mark then decides which replies are new.
      storage.removeItem(key);
    }
  }

  return {
    tell: (mark: ReadMark) => channel.postMessage(mark),
    onMark(listener: (mark: ReadMark) => void) {
      channel.onmessage = ({ data }: MessageEvent<ReadMark>) => listener(data);
    },
    /** The channel's new replies, also from earlier visits. */
    repliesOf: (channelId: string): readonly StoredReply[] => replies.get(channelId) ?? [],
    keepReplies(channelId: string, next: readonly StoredReply[]) {
      if (next.length === 0 && !replies.has(channelId)) return;
      if (next.length === 0) replies.delete(channelId);
      else replies.set(channelId, next);
      timer ??= setTimeout(keep, keepDelayMs);
    },
    close() {
      clearTimeout(timer);
      keep();
      channel.close();
    },
  };
}

function readReplies(storage: KeyedStorage, key: string): Map<string, readonly StoredReply[]> {
  try {
    return new Map(JSON.parse(storage.getItem(key) ?? '[]') as [string, StoredReply[]][]);
  } catch {
    return new Map();
  }
}

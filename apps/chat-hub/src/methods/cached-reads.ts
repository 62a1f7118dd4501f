import type { CachedView, Loaded } from '@openclaw/cache';
import { isAway, outOfBounds, refusalTexts, whyNotMember, type Hub } from './hub.ts';
import { refuse, type Caller, type Refusal } from '../calls/answer.ts';

/**
 * A cached value that is as new as the log, or the refusal. Null: the cache has no such value, and the store must be
 * asked, rights included.
 */
export type CachedRead<T> = ({ readonly ok: true } & Loaded<T>) | Refusal | null;

/** Thrown by a loader when the store refuses: for now, or because the channel is gone. */
export class RefusedLoad extends Error {
  override readonly name = 'RefusedLoad';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Thrown by a loader when the value is too large to be cached. */
export class UncachedLoad extends Error {
  override readonly name = 'UncachedLoad';
}

/**
 * Reads through the cache without ever serving what a commit outdated, or what the caller may not see: whether the caller
 * is a member, and at which head, comes from the store in one small query, and a value of a later head could hold what
 * came after the caller's removal. From the cache a value must be of that very head; one that was loaded for this call
 * may be newer, if the caller is still a member then. While the database is away a socket that is live in the channel
 * still gets what this hub last read and no event outdated since.
 */
export async function cachedRead<T>(
  hub: Hub,
  caller: Caller,
  channelId: string,
  view: CachedView<T>,
  load: () => Promise<Loaded<T>>,
  mayRead: 'members' | 'anyone of a public channel',
): Promise<CachedRead<T>> {
  const bounds = outOfBounds(caller, channelId);
  if (bounds) return bounds;
  const { agentId, isAdmin } = caller.identity;

  /** The head at which the caller may read the channel, or the refusal. */
  async function headOfReader(): Promise<number | Refusal> {
    const access = (await hub.store.access(agentId, [channelId])).get(channelId);
    const refusal = access ? whyNotMember(access, isAdmin) : 'not_found';
    if (!access || refusal === 'not_found' || (refusal && mayRead === 'members')) {
      const code = refusal ?? 'not_found';
      return refuse(code, refusalTexts[code]);
    }
    return access.head;
  }

  try {
    // Before anything is loaded: an outsider costs no more than this, and learns nothing from how long it takes.
    const head = await headOfReader();
    if (typeof head !== 'number') return head;
    let isLoaded = false;
    const cached = await view.read(channelId, () => {
      isLoaded = true;
      return load();
    });
    if (cached.head === head) return { ok: true, ...cached };
    // A cached value of another head: the channel went on, or the database was rolled back.
    if (!isLoaded || cached.head < head) return null;
    const headAfter = await headOfReader();
    if (typeof headAfter !== 'number') return headAfter;
    return cached.head <= headAfter ? { ok: true, ...cached } : null;
  } catch (error) {
    if (error instanceof UncachedLoad) return null;
    const refusal = error instanceof RefusedLoad ? error.refusal : null;
    if (isAway(error) || refusal?.code === 'unavailable') {
      const copy = liveCopy(caller, channelId, view);
      if (copy) return copy;
    }
    if (refusal) return refusal;
    throw error;
  }
}

// That the caller is a member is what the room last delivered, so the copy must not hold more than that. Nothing waits
// between the two: a socket that has just been dropped gets nothing.
function liveCopy<T>({ session }: Caller, channelId: string, view: CachedView<T>): CachedRead<T> {
  const room = session?.rooms.get(channelId);
  const copy = room ? view.readStale(channelId) : null;
  return room && copy && copy.head <= room.head
    ? { ok: true, value: copy.value, head: copy.head }
    : null;
}

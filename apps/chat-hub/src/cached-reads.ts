import type { CachedView, Loaded } from '@openclaw/cache';
import { isAway, outOfBounds, refusalTexts, whyNotMember, type Hub } from './hub.ts';
import { refuse, type Caller, type Refusal } from './rpc/answer.ts';

/** A cached value that is as new as the log, or the refusal. */
export type CachedRead<T> = ({ readonly ok: true } & Loaded<T>) | Refusal;

/** What a loader throws when the store refuses: the channel went away since the rights were asked. */
export class RefusedLoad extends Error {
  override readonly name = 'RefusedLoad';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/**
 * Reads through the cache without ever serving what a commit outdated: rights and the channel's head come from the
 * store, in one small query, and the cache answers only at that very head. While the database is away a socket that is
 * live in the channel still gets what this hub last read and no event outdated since.
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
  try {
    const access = (await hub.store.access(agentId, [channelId])).get(channelId);
    const refusal = access ? whyNotMember(access, isAdmin) : 'not_found';
    if (!access || refusal === 'not_found' || (refusal && mayRead === 'members')) {
      const code = refusal ?? 'not_found';
      return refuse(code, refusalTexts[code]);
    }
    let isLoaded = false;
    const cached = await view.read(channelId, () => {
      isLoaded = true;
      return load();
    });
    // A head beyond the log's is no newer: it is of a life of the database that was rolled back.
    const isCurrent = isLoaded || cached.head === access.head;
    return { ok: true, ...(isCurrent ? cached : await load()) };
  } catch (error) {
    const refusal = error instanceof RefusedLoad ? error.refusal : null;
    const isDatabaseAway = isAway(error) || refusal?.code === 'unavailable';
    const copy =
      isDatabaseAway && caller.session?.rooms.has(channelId) ? view.readStale(channelId) : null;
    if (copy) return { ok: true, value: copy.value, head: copy.head };
    if (refusal) return refusal;
    throw error;
  }
}

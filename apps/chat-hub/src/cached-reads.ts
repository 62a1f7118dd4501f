import type { CachedView, Loaded } from '@openclaw/cache';
import { ChatStoreError } from '@openclaw/chat-store';
import { outOfBounds, type Hub } from './hub.ts';
import { refuse, type Caller, type Refusal } from './rpc/answer.ts';

/** A cached value that is as new as the log, or the refusal. */
export type CachedRead<T> = ({ readonly ok: true } & Loaded<T>) | Refusal;

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
    const isPublic = access?.kind === 'public';
    if (!access || (access.role === null && !isAdmin && !isPublic))
      return refuse('not_found', 'there is no such channel');
    if (access.role === null && !isAdmin && mayRead === 'members')
      return refuse('forbidden', 'only members may do this');
    const cached = await view.read(channelId, load);
    return { ok: true, ...(cached.head >= access.head ? cached : await load()) };
  } catch (error) {
    const isDatabaseAway = error instanceof ChatStoreError && error.code === 'unavailable';
    const copy =
      isDatabaseAway && caller.session?.rooms.has(channelId) ? view.readStale(channelId) : null;
    if (!copy) throw error;
    return { ok: true, value: copy.value, head: copy.head };
  }
}

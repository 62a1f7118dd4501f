import type { CachedView, Loaded } from '@openclaw/cache';
import type { Access, ChatStore } from '@openclaw/chat-store';
import type { Refusal } from '@openclaw/protocol';
import type { Caller } from '../calls/handler.ts';
import { isAway, outOfBounds, refuseOutsider, whyNotMember } from './rights.ts';

/** Null when the store must answer and check the rights. */
export type CachedRead<T> =
  | ({
      readonly ok: true;
      /** The value may still hold events before this seq, which were trimmed. */
      readonly floor: number;
    } & Loaded<T>)
  | Refusal
  | null;

export class RefusedLoad extends Error {
  override readonly name = 'RefusedLoad';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/**
 * A loader throws this error when the value must not be cached. Calls that wait for this load still get `loaded`,
 * unless it is null.
 */
export class UncachedLoad extends Error {
  override readonly name = 'UncachedLoad';
  readonly loaded: Loaded<unknown> | null;

  constructor(loaded: Loaded<unknown> | null = null) {
    super('not to be cached');
    this.loaded = loaded;
  }
}

/**
 * Reads through the cache, with one small query for the caller's membership and head. A cached value is served only if
 * it has exactly this head, because a later value could hold events from after the caller's removal. If this call
 * loaded the value, its head may be higher, but then the caller's rights are checked again after the load. While the
 * database is away, a socket that is live in the channel gets this hub's last copy, unless an event has made the copy
 * outdated.
 */
export async function cachedRead<T>(
  store: Pick<ChatStore, 'access'>,
  caller: Caller,
  channelId: string,
  view: CachedView<T>,
  load: () => Promise<Loaded<T>>,
  mayRead: 'members' | 'anyone of a public channel',
): Promise<CachedRead<T>> {
  const bounds = outOfBounds(caller, channelId);
  if (bounds) return bounds;
  const { agentId } = caller.identity;

  async function stateForReader(): Promise<Pick<Access, 'head' | 'floor'> | Refusal> {
    const access = (await store.access(agentId, [channelId])).get(channelId);
    const code = access ? whyNotMember(access, caller.identity) : 'not_found';
    if (!access || code === 'not_found' || (code && mayRead === 'members'))
      return refuseOutsider(code ?? 'not_found');
    return access;
  }

  try {
    // Rights are checked before the load, so that an outsider learns nothing from the response time.
    const before = await stateForReader();
    if ('ok' in before) return before;
    const { head, floor } = before;
    let isLoaded = false;
    const cached = await view
      .read(channelId, () => {
        isLoaded = true;
        return load();
      })
      .catch((error: unknown) => {
        if (error instanceof UncachedLoad && error.loaded) return error.loaded as Loaded<T>;
        throw error;
      });
    if (cached.head === head) return { ok: true, floor, ...cached };
    if (!isLoaded || cached.head < head) return null;
    const after = await stateForReader();
    if ('ok' in after) return after;
    return cached.head <= after.head ? { ok: true, floor: after.floor, ...cached } : null;
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

// The caller's membership is known only up to the room's head, so a newer copy is not served. The checks run in one
// turn of the event loop, so a socket that was just removed gets nothing.
function liveCopy<T>({ session }: Caller, channelId: string, view: CachedView<T>): CachedRead<T> {
  const room = session?.rooms.get(channelId);
  const copy = room ? view.readStale(channelId) : null;
  return room && copy && copy.head <= room.head
    ? { ok: true, value: copy.value, head: copy.head, floor: room.floor }
    : null;
}

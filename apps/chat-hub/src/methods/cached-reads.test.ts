import { describe, expect, it } from '@jest/globals';
import { createMemoryCache, type Loaded } from '@openclaw/cache';
import { ChatStoreError, type ChatStore } from '@openclaw/chat-store';
import { refuse, type Channel, type Message } from '@openclaw/protocol';
import type { Caller } from '../calls/handler.ts';
import { identityOf } from '../testing/identity.ts';
import { cachedRead, RefusedLoad, UncachedLoad } from './cached-reads.ts';

const channelId = 'c';
type Page = readonly Message[];

function createBench() {
  const database = { head: 5, isMember: true, isAway: false };
  const unavailable = () => new ChatStoreError('unavailable', 'away', { retryAfterMs: 1 });
  const cache = createMemoryCache<Channel, Message>();
  const store = {
    async access() {
      if (database.isAway) throw unavailable();
      const role = database.isMember ? 'member' : null;
      return new Map([
        [
          channelId,
          { kind: 'private', head: database.head, role, archived: false, floor: 1, rewrites: 0 },
        ],
      ]);
    },
  } as unknown as ChatStore;
  const rooms = new Map<string, { head: number; floor: number }>();
  const identity = identityOf('ben');
  const caller = { identity, session: { rooms } } as unknown as Caller;
  const load = async (): Promise<Loaded<Page>> => {
    if (database.isAway) throw new RefusedLoad(refuse('unavailable', 'away', 1));
    return { value: [], head: database.head };
  };
  return {
    ...{ database, cache, rooms, load },
    read: (loader: () => Promise<Loaded<Page>> = load) =>
      cachedRead(store, caller, channelId, cache.recentMessages, loader, 'members'),
    /** Another member's read puts the page at the current head into the cache, and into this process' own copy. */
    fill: async () => {
      cache.invalidateFor('collaboration.event', channelId, database.head);
      await cache.recentMessages.read(channelId, load);
      await cache.close();
    },
  };
}

describe('a read through the cache', () => {
  it('serves a value of the head at which the reader is a member', async () => {
    const { read, fill, cache } = createBench();
    await fill();
    expect(await read()).toEqual({ ok: true, value: [], head: 5, floor: 1 });
    expect(cache.recentMessages.stats.hits).toBe(1);
  });

  it('answers with a value that must not be cached, and loads it again for the next reader', async () => {
    const { read, load } = createBench();
    let loads = 0;
    const growing = async (): Promise<never> => {
      loads += 1;
      throw new UncachedLoad(await load());
    };
    for (const count of [1, 2]) {
      expect(await read(growing)).toEqual({ ok: true, value: [], head: 5, floor: 1 });
      expect(loads).toBe(count);
    }
    expect(await read(() => Promise.reject(new UncachedLoad()))).toBeNull();
  });

  it('reads nothing for an outsider', async () => {
    const { read, load, database } = createBench();
    database.isMember = false;
    let loads = 0;
    const refused = await read(() => {
      loads += 1;
      return load();
    });
    expect(refused).toMatchObject({ ok: false, code: 'not_found' });
    expect(loads).toBe(0);
  });

  it('serves a value loaded at a later head if the reader is still a member then', async () => {
    const { read, load, database } = createBench();
    const loading = () => {
      database.head = 7;
      return load();
    };
    expect(await read(loading)).toEqual({ ok: true, value: [], head: 7, floor: 1 });
  });

  // The race: the reader is removed while the page is loaded, so the page may contain events after the removal.
  // Invariant: rights are checked after the value was loaded.
  it('refuses a reader that is removed while the value is read', async () => {
    const { read, load, database } = createBench();
    const loading = async () => {
      database.isMember = false;
      database.head = 7;
      return load();
    };
    expect(await read(loading)).toMatchObject({ ok: false, code: 'not_found' });
  });

  // Invariant: a cached value is served only if its head is the one at which the reader's membership was confirmed.
  it('does not serve a cached value of an older or newer head', async () => {
    const { read, fill, database } = createBench();
    await fill();
    for (const head of [6, 4]) {
      database.head = head;
      expect(await read()).toBeNull();
    }
  });

  it('serves the value that it loaded although the channel has newer events, and nothing newer', async () => {
    const { read, load, database } = createBench();
    const loading = async () => {
      const loaded = await load();
      database.head += 1;
      return loaded;
    };
    expect(await read(loading)).toEqual({ ok: true, value: [], head: 5, floor: 1 });
    // After a rollback of the database, a value's head can be above the log's head. No check has confirmed the reader's
    // membership at such a head.
    expect(await read(async () => ({ value: [], head: 99 }))).toBeNull();
  });

  it('does not serve a value that is too large to be cached', async () => {
    const { read } = createBench();
    expect(await read(() => Promise.reject(new UncachedLoad()))).toBeNull();
  });
});

describe('while the database is away', () => {
  it('a socket that is live in the channel gets the value that was read last', async () => {
    const { read, fill, database, rooms } = createBench();
    await fill();
    database.isAway = true;
    await expect(read()).rejects.toMatchObject({ code: 'unavailable' });
    rooms.set(channelId, { head: 5, floor: 1 });
    expect(await read()).toEqual({ ok: true, value: [], head: 5, floor: 1 });
  });

  // The race: the reader is removed, and another member reads later events into the cache. The database becomes
  // unavailable before this hub has delivered the removal. Invariant: a live socket sees nothing newer than its room's
  // head.
  it('no socket gets a copy that is newer than its room', async () => {
    const { read, fill, database, rooms } = createBench();
    await fill();
    database.isAway = true;
    rooms.set(channelId, { head: 4, floor: 1 });
    await expect(read()).rejects.toMatchObject({ code: 'unavailable' });
  });

  // The race: the socket is dropped from the room while the query to the unavailable store is pending.
  it('a socket that is dropped during the query to the store gets nothing', async () => {
    const { read, fill, database, rooms } = createBench();
    await fill();
    rooms.set(channelId, { head: 5, floor: 1 });
    database.isAway = true;
    const answered = read();
    rooms.delete(channelId);
    await expect(answered).rejects.toMatchObject({ code: 'unavailable' });
  });
});

import { describe, expect, it } from '@jest/globals';
import type { Cache } from './cache.ts';
import type { CacheOptions } from './options.ts';
import type { Loaded } from './view.ts';

export interface TestChannel {
  readonly channelId: string;
  readonly topic: string;
  readonly head: number;
}
export interface TestMessage {
  readonly id: string;
  readonly content: string;
}
export type TestCache = Cache<TestChannel, TestMessage>;

export function createTestDatabase() {
  const state = {
    head: 5,
    topic: 'ops',
    contents: ['hello'],
    members: ['alice', 'bob'] as string[],
    loads: 0,
  };
  const loader =
    <T>(value: () => T) =>
    async (): Promise<Loaded<T>> => {
      state.loads += 1;
      return { value: value(), head: state.head };
    };
  return {
    state,
    recent: loader((): readonly TestMessage[] =>
      state.contents.map((content, index) => ({ id: `m${index}`, content })),
    ),
    channel: loader((): TestChannel => ({
      channelId: 'ops',
      topic: state.topic,
      head: state.head,
    })),
    members: loader((): readonly string[] => [...state.members]),
  };
}

/** Pauses a load between its read and its answer. */
export function stalled<T>(load: () => Promise<Loaded<T>>) {
  let goOn = () => {};
  const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
  let sawDatabase = () => {};
  const hasRead = new Promise<void>((resolve) => (sawDatabase = resolve));
  const slow = async () => {
    const loaded = await load();
    sawDatabase();
    await mayGoOn;
    return loaded;
  };
  return { load: slow, hasRead, goOn };
}

export function describeCache(
  create: (options?: CacheOptions) => TestCache,
  publish: (cache: TestCache, type: string, channelId: string, seq: number) => Promise<void>,
): void {
  /** Creates a cache and publishes a head, because a read without a head does not fill the cache. */
  async function setUp(options?: CacheOptions) {
    const cache = create(options);
    const database = createTestDatabase();
    const { state } = database;
    const recent = () => cache.recentMessages.read('ops', database.recent);
    const channel = () => cache.channel.read('ops', database.channel);
    const members = () => cache.members.read('ops', database.members);
    await publish(cache, 'collaboration.event', 'ops', state.head);
    const event = async (type: string, change: () => void) => {
      change();
      state.head += 1;
      await publish(cache, type, 'ops', state.head);
    };
    const filled = async () => {
      await Promise.all([recent(), channel(), members()]);
      await cache.close();
    };
    return { cache, database, state, recent, channel, members, event, filled };
  }

  it('loads once and answers the second read from the cache', async () => {
    const { cache, state, recent, channel, members, filled } = await setUp();
    await filled();
    expect(state.loads).toBe(3);
    expect(await recent()).toEqual({ value: [{ id: 'm0', content: 'hello' }], head: 5 });
    expect(await channel()).toEqual({
      value: { channelId: 'ops', topic: 'ops', head: 5 },
      head: 5,
    });
    const read = await members();
    expect([...read.value].sort()).toEqual(['alice', 'bob']);
    expect(state.loads).toBe(3);
    for (const view of [cache.recentMessages, cache.channel, cache.members]) {
      expect(view.stats).toMatchObject({
        hits: 1,
        misses: 1,
        fills: 1,
        refusedFills: 0,
        corrupt: 0,
      });
    }
  });

  it('shares one load among simultaneous readers of a channel', async () => {
    const { cache, state, recent } = await setUp();
    const reads = await Promise.all(Array.from({ length: 20 }, recent));
    expect(new Set(reads.map(({ head }) => head))).toEqual(new Set([5]));
    expect(state.loads).toBe(1);
    expect(cache.recentMessages.stats).toMatchObject({ misses: 1, shared: 19 });
  });

  it('gives the failure of a load to every reader that shares it, and loads again for the next', async () => {
    const { cache, recent } = await setUp();
    const fails = () => Promise.reject(new Error('not found'));
    const reads = [0, 1].map(() => cache.recentMessages.read('ops', fails));
    for (const read of reads) await expect(read).rejects.toThrow('not found');
    expect((await recent()).head).toBe(5);
  });

  it('does not fill while the head is unknown: it stores the head, and the next read fills', async () => {
    const cache = create();
    const database = createTestDatabase();
    for (let i = 0; i < 3; i += 1) {
      await cache.recentMessages.read('quiet', database.recent);
      await cache.close();
    }
    expect(database.state.loads).toBe(2);
    expect(cache.recentMessages.stats).toMatchObject({ hits: 1, refusedFills: 1, fills: 1 });
  });

  // The race: event 8 is committed but not published, and a reader of the members loads head 8. If all views shared one
  // head, the cache would return head 8 with messages that lack event 8.
  it('serves no value with a head other than the one it was read at', async () => {
    const { state, recent, members, event, filled } = await setUp();
    await event('channel.member.join', () => {});
    await recent();
    await filled();
    await event('channel.member.leave', () => {});
    Object.assign(state, { head: state.head + 1, contents: ['committed, not published'] });
    await members();
    await filled();
    const { value, head } = await recent();
    expect({ text: value[0]?.content, head }).toEqual({
      text: 'committed, not published',
      head: 8,
    });
  });

  it('keeps an empty set of members, and an empty channel', async () => {
    const { state, members, recent, filled } = await setUp();
    state.members = [];
    state.contents = [];
    await filled();
    expect(await members()).toEqual({ value: [], head: 5 });
    expect(await recent()).toEqual({ value: [], head: 5 });
    expect(state.loads).toBe(3);
  });

  it('returns at most the newest 50 messages, cached or not', async () => {
    const { state, recent, filled } = await setUp();
    state.contents = Array.from({ length: 60 }, (_, index) => `text ${index}`);
    expect((await recent()).value).toHaveLength(50);
    await filled();
    const { value } = await recent();
    expect(value.map(({ content }) => content)).toEqual(state.contents.slice(10));
  });

  describe('the views that an event invalidates', () => {
    const types = {
      recentMessages: [
        ...['channel.message', 'channel.message.edit', 'channel.message.delete', 'thread.message'],
        ...['channel.reaction.add', 'channel.reaction.remove', 'thread.create', 'thread.update'],
      ],
      members: ['channel.member.join', 'channel.member.leave', 'channel.member.update'],
      channel: ['channel.update', 'channel.archive'],
    };

    for (const [view, list] of Object.entries(types)) {
      it.each(list)(`is ${view} after %s, and the rest stays cached`, async (type) => {
        const { state, recent, channel, members, event, filled } = await setUp();
        await filled();
        await event(type, () => {
          state.contents = ['changed'];
          state.topic = 'changed';
          state.members = ['changed'];
        });
        const seen = {
          recentMessages: (await recent()).value[0]?.content,
          channel: (await channel()).value.topic,
          members: [...(await members()).value].sort().join(),
        };
        const before = { recentMessages: 'hello', channel: 'ops', members: 'alice,bob' };
        expect(seen).toEqual({ ...before, [view]: 'changed' });
      });
    }

    it('is everything after channel.delete and after an unknown type', async () => {
      for (const type of ['channel.delete', 'channel.invented']) {
        const { state, event, filled } = await setUp();
        await filled();
        await event(type, () => {});
        await filled();
        expect(state.loads).toBe(6);
      }
    });

    it('is never the head: it rises with each event, in the cached channel too', async () => {
      const { state, recent, channel, event, filled } = await setUp();
      await filled();
      await event('collaboration.event', () => {});
      expect(await channel()).toMatchObject({ value: { topic: 'ops', head: 6 }, head: 6 });
      expect((await recent()).head).toBe(6);
      await event('channel.message', () => (state.contents = ['hello', 'again']));
      expect(await channel()).toMatchObject({ value: { topic: 'ops', head: 7 }, head: 7 });
      expect(state.loads).toBe(3);
    });
  });

  describe('a slow reader', () => {
    // The race: a reader loads at head 5, then event 6 is published, then the reader fills the cache. An unconditional
    // fill would restore the text from before event 6.
    it('cannot write back what an invalidation removed', async () => {
      const { cache, state, database, recent, event } = await setUp();
      const slow = stalled(database.recent);
      const reading = cache.recentMessages.read('ops', slow.load);
      await slow.hasRead;
      await event('channel.message.edit', () => (state.contents = ['edited']));
      slow.goOn();
      expect((await reading).value[0]?.content).toBe('hello');
      await cache.close();
      expect(cache.recentMessages.stats.fills).toBe(0);
      expect(await recent()).toEqual({ value: [{ id: 'm0', content: 'edited' }], head: 6 });
    });

    it('cannot write back what a drop with a head removed', async () => {
      const { cache, state, database, recent } = await setUp();
      const slow = stalled(database.recent);
      const reading = cache.recentMessages.read('ops', slow.load);
      await slow.hasRead;
      state.contents = ['found in the log'];
      state.head = 6;
      await cache.drop([{ channelId: 'ops', head: 6 }]);
      slow.goOn();
      await reading;
      await cache.close();
      expect((await recent()).value[0]?.content).toBe('found in the log');
    });

    it('does not answer reads from after the event', async () => {
      const { cache, state, database, recent } = await setUp();
      const slow = stalled(database.recent);
      const reading = cache.recentMessages.read('ops', slow.load);
      await slow.hasRead;
      state.contents = ['edited'];
      state.head = 6;
      cache.invalidateFor('channel.message.edit', 'ops', 6);
      expect((await recent()).value[0]?.content).toBe('edited');
      slow.goOn();
      expect((await reading).value[0]?.content).toBe('hello');
      expect(cache.recentMessages.readStale('ops')?.value[0]?.content).toBe('edited');
    });
  });

  describe('copies in memory', () => {
    it('serve only readStale, with age and head, and are counted', async () => {
      let nowMs = 1_700_000_000_000;
      const { cache, filled } = await setUp({ clock: () => nowMs });
      expect(cache.channel.readStale('ops')).toBeNull();
      await filled();
      nowMs += 1500;
      cache.invalidateFor('channel.message', 'ops', 9);
      const value = { channelId: 'ops', topic: 'ops', head: 9 };
      expect(cache.channel.readStale('ops')).toEqual({ value, head: 9, ageMs: 1500 });
      expect(cache.channel.stats.stale).toBe(1);
    });

    it('do not serve what was invalidated, forgotten or dropped', async () => {
      const { cache, filled } = await setUp();
      await filled();
      cache.invalidateFor('channel.message.edit', 'ops', 6);
      expect(cache.recentMessages.readStale('ops')).toBeNull();
      expect(cache.members.readStale('ops')).not.toBeNull();
      cache.forget('ops');
      expect(cache.members.readStale('ops')).toBeNull();
      await filled();
      await cache.drop(['ops']);
      for (const view of [cache.recentMessages, cache.channel, cache.members]) {
        expect(view.readStale('ops')).toBeNull();
      }
    });

    it('are bounded by number and by size', async () => {
      const few = create({ maxCopies: 2 });
      const { recent } = createTestDatabase();
      for (const channelId of ['a', 'b', 'c']) await few.recentMessages.read(channelId, recent);
      expect(few.recentMessages.readStale('a')).toBeNull();
      expect(few.recentMessages.readStale('c')).not.toBeNull();

      const small = create({ maxCopyBytes: 1000 });
      const { state, recent: large } = createTestDatabase();
      state.contents = ['x'.repeat(600)];
      for (const channelId of ['a', 'b']) await small.recentMessages.read(channelId, large);
      expect(small.recentMessages.readStale('a')).toBeNull();
      expect(small.recentMessages.readStale('b')).not.toBeNull();
    });
  });

  it('drops all views of the given channels, and no others', async () => {
    const { cache, database, state, filled } = await setUp();
    await filled();
    for (let i = 0; i < 2; i += 1) {
      await cache.recentMessages.read('other', database.recent);
      await cache.close();
    }
    state.loads = 0;
    await cache.drop(['ops', 'unheard-of']);
    await filled();
    expect(state.loads).toBe(3);
    await cache.recentMessages.read('other', database.recent);
    expect(state.loads).toBe(3);
  });

  it('serves a restored database after its heads are forgotten', async () => {
    const { cache, state, recent, filled } = await setUp();
    await filled();
    Object.assign(state, { head: 3, contents: ['restored'], loads: 0 });
    await cache.drop(['ops'], { forgetHeads: true });
    for (let i = 0; i < 3; i += 1) {
      expect(await recent()).toEqual({ value: [{ id: 'm0', content: 'restored' }], head: 3 });
      await cache.close();
    }
    expect(state.loads).toBe(2);
  });

  it('reads but does not cache a value that is too large', async () => {
    const { cache, state, recent, members, filled } = await setUp({
      maxValueBytes: 100,
      maxMembers: 1,
    });
    state.contents = ['é'.repeat(60)];
    await filled();
    expect((await recent()).value[0]?.content).toHaveLength(60);
    expect((await members()).value).toHaveLength(2);
    expect(cache.recentMessages.stats).toMatchObject({ oversized: 2, fills: 0, hits: 0 });
    expect(cache.members.stats).toMatchObject({ oversized: 2, fills: 0, hits: 0 });
  });

  it('refuses a channelId that could name another key, a load without a head, and bad options', async () => {
    const { cache, database } = await setUp();
    const badId = { name: 'KeySchemaError', code: 'invalid_id' };
    const bad = 'ops:members';
    await expect(cache.channel.read(bad, database.channel)).rejects.toMatchObject(badId);
    await expect(cache.drop([bad])).rejects.toMatchObject(badId);
    await expect(cache.drop([{ channelId: bad, head: 1 }])).rejects.toMatchObject(badId);
    expect(() => cache.invalidates('channel.message', bad)).toThrow(expect.objectContaining(badId));
    expect(() => cache.keysOf(bad)).toThrow(expect.objectContaining(badId));
    const value = { channelId: 'x', topic: '', head: 0 };
    await expect(cache.channel.read('x', async () => ({ value, head: NaN }))).rejects.toMatchObject(
      {
        code: 'invalid_load',
      },
    );
    expect(() => create({ maxCopies: 0 })).toThrow('maxCopies must be a positive integer');
  });
}

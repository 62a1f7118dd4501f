import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createPresence, type PresenceTracker } from '@openclaw/presence';
import { encodeEnvelope, limits, type ChannelEvent, type Presence } from '@openclaw/protocol';
import { pino } from 'pino';
import { createPresenceFeed } from './presence-feed.ts';
import type { Room } from '../channels/room.ts';
import type { Session } from '../sockets/session.ts';

const channelId = 'c';

/** A hub's feed with nobody but sessions that exist by name. */
function createBench(tracker: PresenceTracker = createPresence()) {
  const published: { readonly atMs: number; readonly event: ChannelEvent }[] = [];
  const room = { channelId, members: new Set([{ agentId: 'watcher' }]) } as unknown as Room;
  const feed = createPresenceFeed({
    ...{
      hubId: 'hub',
      tracker,
      epoch: () => 'e',
      kindOf: () => null,
      log: pino({ level: 'silent' }),
    },
    rooms: { get: () => room },
    publisher: { ephemeral: (event) => published.push({ atMs: performance.now(), event }) },
  });
  const session = (agentId: string) => ({ agentId, sessionId: `${agentId}-1` }) as Session;
  const records = () =>
    published.flatMap(({ event }) => (event.type === 'channel.presence' ? event.presences : []));
  return { feed, room, published, session, records };
}

describe('presence of a crowd', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  // As those of RocketChat#20147: every change went out by itself, to everyone.
  it('that flaps goes out as few envelopes, by time and size and not by changes, and ends with what is so', async () => {
    const { feed, room, published, session, records } = createBench();
    const agents = Array.from({ length: 1_000 }, (_, n) => session(`a${n}`));
    await feed.opened(room);
    const rounds = 40;
    const startMs = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      for (const agent of agents) {
        if (round % 2 === 0) feed.entered(agent, room);
        else feed.left(agent, room);
      }
      await jest.advanceTimersByTimeAsync(25);
    }
    await jest.advanceTimersByTimeAsync(100);
    const windows = Math.ceil((performance.now() - startMs) / 50) + 1;
    expect(published.length).toBeLessThanOrEqual(windows * 10);
    expect(published.length).toBeLessThan((rounds * agents.length) / 100);
    const last = new Map(records().map(({ agentId, status }) => [agentId, status]));
    expect(last.size).toBe(1_000);
    expect(new Set(last.values())).toEqual(new Set(['offline']));
    for (const { event } of published) {
      expect((event as { presences: unknown[] }).presences.length).toBeLessThanOrEqual(100);
    }
    await feed.close();
  });

  // The sockets of this hub are few, those present are many: they are on other hubs.
  it('on other hubs counts: beyond the limit nothing is pushed, and the subscriber is told so', async () => {
    const tracker = createPresence();
    const others = Array.from({ length: limits.presencePush }, (_, n) => `b${n}`);
    for (const agentId of others) await tracker.track(channelId, { agentId, sessionId: 'other' });
    const { feed, room, session, records } = createBench(tracker);
    await feed.opened(room);
    expect(feed.entered(session('last-pushed'), room)).toBe(true);
    await jest.advanceTimersByTimeAsync(100);
    expect(records().map(({ agentId }) => agentId)).toEqual(['last-pushed']);

    const { feed: another, room: sameRoom, records: pushed } = createBench(tracker);
    await another.opened(sameRoom);
    expect(another.entered(session('not-pushed'), sameRoom)).toBe(false);
    await jest.advanceTimersByTimeAsync(100);
    expect(pushed()).toEqual([]);
    await feed.close();
  });
});

describe('presence events of other hubs', () => {
  const nowMs = 1_900_000_000_000;
  beforeEach(() => {
    jest.useFakeTimers({ now: nowMs });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const record = (agentId: string, status: Presence['status'], lastSeen: number): Presence => ({
    ...{ agentId, status, customStatus: null, avatar: null, lastSeen },
  });
  const eventOf = (...presences: Presence[]) =>
    encodeEnvelope({
      ...{
        id: 'e1',
        senderId: 'other',
        senderKind: null,
        timestamp: nowMs,
        channelId,
        seq: null,
        epoch: 'e',
      },
      event: { type: 'channel.presence', channelId, presences },
    });

  it('pass as they are, narrowed to what is new, or not at all', async () => {
    const { feed, room } = createBench();
    await feed.opened(room);
    const first = eventOf(record('a', 'online', 20), record('b', 'online', 20));
    expect(feed.saw(first)).toBe(first);
    const partly = eventOf(record('a', 'offline', 10), record('b', 'away', 30));
    expect(feed.saw(partly)).toMatchObject({ id: partly.id, timestamp: partly.timestamp });
    expect(JSON.parse(feed.saw(partly)?.json ?? '').event.presences).toEqual([
      record('b', 'away', 30),
    ]);
    expect(feed.saw(eventOf(record('a', 'offline', 10), record('b', 'online', 29)))).toBeNull();
    await feed.close();
  });

  // The race: Redis is another, or was away, and what is decided now is timed by a clock that goes behind. Invariant: nothing
  // is taken for outdated by a clock that it was not timed with.
  it.each(['resubscribed', 'availabilityChanged'] as const)(
    'are taken as they come once Redis may be another: %s',
    async (change) => {
      const { feed, room } = createBench();
      await feed.opened(room);
      feed.saw(eventOf(record('a', 'online', 20), record('b', 'offline', 20)));
      const behind = eventOf(record('a', 'offline', 10), record('b', 'online', 10));
      expect(feed.saw(behind)).toBeNull();
      if (change === 'resubscribed') feed.resubscribed();
      else feed.availabilityChanged(true);
      expect(feed.saw(behind)).toBe(behind);
      await feed.close();
    },
  );

  // The race: this hub decides that an agent left, and waits to conflate; another decides that it came, and its event is
  // here first. Invariant: what is outdated is not published. The control: an event that was decided before changes nothing.
  it.each([
    { decided: 'later', published: ['a online'] },
    { decided: 'before', published: ['a online', 'a offline'] },
  ])('keep back what was decided $decided', async ({ decided, published }) => {
    const { feed, room, session, records } = createBench();
    await feed.opened(room);
    feed.entered(session('a'), room);
    await jest.advanceTimersByTimeAsync(100);
    feed.left(session('a'), room);
    feed.saw(eventOf(record('a', 'away', Date.now() + (decided === 'later' ? 1 : -1))));
    await jest.advanceTimersByTimeAsync(100);
    expect(records().map(({ agentId, status }) => `${agentId} ${status}`)).toEqual(published);
    await feed.close();
  });
});

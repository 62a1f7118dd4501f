import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createPresence, type PresenceTracker } from '@openclaw/presence';
import { encodeEnvelope, limits, type ChannelEvent, type Presence } from '@openclaw/protocol';
import { pino } from 'pino';
import { createEphemeralEncoder } from '../channels/ephemeral.ts';
import { createPresenceFeed } from './presence-feed.ts';
import type { Room } from '../channels/room.ts';
import type { Session } from '../sockets/session.ts';

const channelId = 'c';

function createBench(tracker: PresenceTracker = createPresence()) {
  const published: { readonly atMs: number; readonly event: ChannelEvent }[] = [];
  const room = { channelId, members: new Set([{ agentId: 'watcher' }]) } as unknown as Room;
  const feed = createPresenceFeed({
    ...{
      hubId: 'hub',
      tracker,
      encodeEphemeral: createEphemeralEncoder({ epoch: 'e' }, () => null),
      log: pino({ level: 'silent' }),
    },
    rooms: { get: () => room },
    publisher: { publishEphemeral: (event) => published.push({ atMs: performance.now(), event }) },
  });
  const session = (agentId: string) => ({ agentId, sessionId: `${agentId}-1` }) as Session;
  const records = () =>
    published.flatMap(({ event }) => (event.type === 'channel.presence' ? event.presences : []));
  return { feed, room, published, session, records };
}

describe('presence of many agents', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  // In RocketChat#20147, every single change was sent to everyone.
  it('that flap is sent in few envelopes, whose number depends on time and size, and ends with the current state', async () => {
    const { feed, room, published, session, records } = createBench();
    const agents = Array.from({ length: 1_000 }, (_, n) => session(`a${n}`));
    await feed.prepare(room);
    const rounds = 40;
    const startMs = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      for (const agent of agents) {
        if (round % 2 === 0) feed.enter(agent, room, 'member');
        else feed.leave(agent, room);
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

  it('on other hubs counts: past the push limit nothing is pushed, and the subscriber learns that', async () => {
    const tracker = createPresence();
    const others = Array.from({ length: limits.presencePush }, (_, n) => `b${n}`);
    for (const agentId of others) await tracker.track(channelId, { agentId, sessionId: 'other' });
    const { feed, room, session, records } = createBench(tracker);
    await feed.prepare(room);
    expect(feed.enter(session('last-pushed'), room, 'member')).toBe(true);
    await jest.advanceTimersByTimeAsync(100);
    expect(records().map(({ agentId }) => agentId)).toEqual(['last-pushed']);

    const { feed: another, room: sameRoom, records: pushed } = createBench(tracker);
    await another.prepare(sameRoom);
    expect(another.enter(session('not-pushed'), sameRoom, 'member')).toBe(false);
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

  it('pass unchanged, filtered to what is new, or not at all', async () => {
    const { feed, room } = createBench();
    await feed.prepare(room);
    const first = eventOf(record('a', 'online', 20), record('b', 'online', 20));
    expect(feed.filterEvent(first)).toBe(first);
    const partly = eventOf(record('a', 'offline', 10), record('b', 'away', 30));
    expect(feed.filterEvent(partly)).toMatchObject({ id: partly.id, timestamp: partly.timestamp });
    expect(JSON.parse(feed.filterEvent(partly)?.json ?? '').event.presences).toEqual([
      record('b', 'away', 30),
    ]);
    expect(
      feed.filterEvent(eventOf(record('a', 'offline', 10), record('b', 'online', 29))),
    ).toBeNull();
    await feed.close();
  });

  // The race: Redis was away or is now another server, and its clock is behind, so times cannot be compared.
  it.each(['onResubscribed', 'onAvailability'] as const)(
    'pass in the order of arrival once the clock may have changed: %s',
    async (change) => {
      const { feed, room } = createBench();
      await feed.prepare(room);
      feed.filterEvent(eventOf(record('a', 'online', 20), record('b', 'offline', 20)));
      const behind = eventOf(record('a', 'offline', 10), record('b', 'online', 10));
      expect(feed.filterEvent(behind)).toBeNull();
      if (change === 'onResubscribed') feed.onResubscribed();
      else feed.onAvailability(true);
      expect(feed.filterEvent(behind)).toBe(behind);
      await feed.close();
    },
  );

  // The race: this hub decides that an agent left, and waits before it publishes this. Another hub decides that the
  // agent came, and the event of that hub arrives first. Negative control: an event with an earlier decision changes
  // nothing.
  it.each([
    { decided: 'later', published: ['a online'] },
    { decided: 'earlier', published: ['a online', 'a offline'] },
  ])(
    'decided $decided than a waiting change decide if that change is published',
    async ({ decided, published }) => {
      const { feed, room, session, records } = createBench();
      await feed.prepare(room);
      feed.enter(session('a'), room, 'member');
      await jest.advanceTimersByTimeAsync(100);
      feed.leave(session('a'), room);
      feed.filterEvent(eventOf(record('a', 'away', Date.now() + (decided === 'later' ? 1 : -1))));
      await jest.advanceTimersByTimeAsync(100);
      expect(records().map(({ agentId, status }) => `${agentId} ${status}`)).toEqual(published);
      await feed.close();
    },
  );
});

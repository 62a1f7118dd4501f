import { describe, expect, it, jest } from '@jest/globals';
import { ChatStoreError } from '@openclaw/chat-store';
import { createMemoryEventBus } from '@openclaw/events';
import {
  encodeEnvelope,
  limits,
  type ChannelEvent,
  type EncodedEnvelope,
} from '@openclaw/protocol';
import { pino } from 'pino';
import { createMemoryCache } from '@openclaw/cache';
import type { ChatStore } from '@openclaw/chat-store';
import { createFlusher } from '../channels/flusher.ts';
import { createRooms } from '../channels/rooms.ts';
import { Session } from '../sockets/session.ts';
import { createUnsentBudget } from '../sockets/unsent-budget.ts';
import { runNow } from '../event-loop/time-sliced-queue.ts';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { identityOf } from '../testing/identity.ts';
import { createPeer } from '../testing/peer.ts';
import { range, seqsOf } from '../testing/seqs.ts';
import type { MethodDeps } from './method-deps.ts';
import { subscriptionMethods } from './subscriptions.ts';

const channelId = 'c';

function eventOf(seq: number, event: ChannelEvent): EncodedEnvelope {
  return encodeEnvelope({
    ...{
      id: `e${seq}`,
      event,
      timestamp: 1,
      senderId: 'ana',
      senderKind: null,
      channelId,
      seq,
      epoch: 'e',
    },
  });
}

const member = { channelId, agentId: 'ben', role: 'member', displayName: null, joinedAt: 1 };
const memberEvent = (seq: number, type: 'channel.member.leave' | 'channel.member.join') =>
  eventOf(seq, { type, channelId, member } as ChannelEvent);

const heavyEvent = (seq: number, weight: number) =>
  eventOf(seq, {
    ...{ type: 'collaboration.event', channelId, name: 'n' },
    payload: { text: 'x'.repeat(weight) },
  });

/**
 * The subscribe pauses until the test continues it. With `since` 0 it pauses during its read of a log of five events;
 * with null, just before its answer is made.
 */
async function subscribing(since: number | null = 0, weight = 1, isAdmin = false) {
  const log = range(1, 5).map((seq) => heavyEvent(seq, weight));
  const reading = Promise.withResolvers<void>();
  const letOn = Promise.withResolvers<void>();
  const access = {
    kind: 'private',
    head: 5,
    role: (isAdmin ? null : 'member') as string | null,
    archived: false,
    floor: 1,
    rewrites: 0,
  };
  const present: string[] = [];
  const store = {
    epoch: 'e',
    access: async () => new Map([[channelId, { ...access }]]),
    async logPage(_channelId: string, after: number) {
      if (after < 5) {
        reading.resolve();
        await letOn.promise;
      }
      return { events: log.filter(({ seq }) => (seq ?? 0) > after), head: access.head, floor: 1 };
    },
  } as unknown as ChatStore;
  const [flusher, bus, nothing] = [createFlusher(), createMemoryEventBus(), () => undefined];
  const rooms = createRooms({
    ...{ store, bus, flusher, log: pino({ level: 'silent' }) },
    ...{ cache: createMemoryCache(), onEphemeral: nothing, onForeignEpoch: nothing },
  });
  const identity = identityOf('ben', { isAdmin });
  const { ws, socket } = createPeer('openclaw.v1');
  const session = new Session(ws, socket, 'session', identity, {
    store,
    flusher,
    unsent: createUnsentBudget(),
    slices: createTimeSlicedQueue(),
    onLag: nothing,
    onLeftRoom: nothing,
  });
  const hub = {
    rooms,
    store,
    slices: createTimeSlicedQueue(),
    presence: {
      prepare: nothing,
      enter: (_session: Session, _room: unknown, as: string) => present.push(as) > 0,
      joined: () => present.push('joined'),
    },
  } as unknown as MethodDeps;
  const params = { topics: [{ channelId, since }], epoch: 'e' };
  const methods = subscriptionMethods(hub);
  const answered = methods.subscribe({ identity, transport: 'ws', session }, params);
  await (since === null ? answered : reading.promise);
  return {
    ...{ rooms, session, access, log, store, methods, present },
    result: async () => {
      letOn.resolve();
      const answer = await answered;
      if (!('resultSteps' in answer)) throw new Error('the subscribe was refused');
      return JSON.parse(Buffer.concat(runNow(answer.resultSteps())).toString()).topics[0];
    },
  };
}

describe('a subscribe in progress', () => {
  it('is answered with the events up to the head', async () => {
    const { result, session } = await subscribing();
    const topic = await result();
    expect([topic.head, topic.resumed, seqsOf(topic.events)]).toEqual([5, true, range(1, 5)]);
    expect(session.rooms.has(channelId)).toBe(true);
  });

  it('is refused temporarily when the epoch changed meanwhile', async () => {
    const { result, rooms, session } = await subscribing();
    rooms.beginEpoch(new Map([[channelId, 3]]));
    expect(await result()).toEqual({ channelId, error: { code: 'unavailable' } });
    expect(session.rooms.has(channelId)).toBe(false);
  });

  // The race: between the read of rights and the answer, the store's epoch changes, but the rooms are not in the new
  // epoch yet.
  it('is refused temporarily when the epoch has changed and rooms have not been restarted', async () => {
    const { result, store, session } = await subscribing();
    Object.assign(store, { epoch: 'f' });
    expect(await result()).toEqual({ channelId, error: { code: 'unavailable' } });
    expect(session.rooms.has(channelId)).toBe(false);
  });

  // The race: the floor was read in an epoch that ends before the answer. In the new epoch, the room would hide events
  // below this floor, though the log has them.
  it('does not pass a floor of an earlier epoch to the room', async () => {
    const { result, rooms, store, access, methods, session } = await subscribing();
    await result();
    const room = rooms.get(channelId);
    Object.assign(store, {
      async access() {
        rooms.beginEpoch(new Map([[channelId, 3]]));
        return new Map([[channelId, { ...access, floor: 5 }]]);
      },
    });
    const { identity } = session;
    const params = { topics: [{ channelId, since: null }], epoch: 'e' };
    const answer = await methods.subscribe({ identity, transport: 'ws', session }, params);
    if (!('resultSteps' in answer)) throw new Error('the subscribe was refused');
    expect([room?.floor, rooms.get(channelId)]).toEqual([1, room]);
    Object.assign(store, { access: async () => new Map([[channelId, { ...access, floor: 2 }]]) });
    await methods.subscribe({ identity, transport: 'ws', session }, params);
    expect(room?.floor).toBe(2);
  });

  it('is refused when its agent left the channel meanwhile', async () => {
    const { result, rooms, session, access } = await subscribing();
    rooms.get(channelId)?.offer(memberEvent(6, 'channel.member.leave'));
    Object.assign(access, { head: 6, role: null });
    expect(await result()).toEqual({ channelId, error: { code: 'not_found' } });
    expect(session.rooms.has(channelId)).toBe(false);
  });

  // The race: the agent is removed and added again during the call. Invariant: a member is not refused, because
  // clients take `forbidden` as final.
  it.each(['both events', 'only the leave'])(
    'enters for an agent that was added again, when the hub received %s',
    async (came) => {
      const { result, rooms, session, access, log } = await subscribing();
      const events = [
        memberEvent(6, 'channel.member.leave'),
        memberEvent(7, 'channel.member.join'),
      ];
      log.push(...events);
      access.head = 7;
      for (const event of came === 'both events' ? events : events.slice(0, 1)) {
        rooms.get(channelId)?.offer(event);
      }
      const topic = await result();
      expect([topic.head, topic.resumed, seqsOf(topic.events)]).toEqual([7, true, range(1, 7)]);
      expect(session.rooms.has(channelId)).toBe(true);
    },
  );

  // The race: the agent has left and joined again. The newest events, with the leave among them, do not fit into the
  // result, so they would be sent live. A client takes a leave that arrives live as final.
  it('is not resumed when its outdated leave would be sent live', async () => {
    const { result, rooms, access, log } = await subscribing(0, limits.resumeBytes / 6);
    const events = [memberEvent(6, 'channel.member.leave'), memberEvent(7, 'channel.member.join')];
    log.push(...events, heavyEvent(8, limits.resumeBytes / 2));
    access.head = 8;
    for (const event of log.slice(5)) rooms.get(channelId)?.offer(event);
    expect(await result()).toMatchObject({ head: 8, resumed: false, events: [] });
  });

  // The race: the agent leaves when it is too late to read rights again. The agent may have joined again, and clients
  // take `forbidden` as final. Invariant: the answer is `unavailable`.
  it('is to be repeated when its agent left at the last moment', async () => {
    const { result, rooms, session } = await subscribing(null);
    rooms.get(channelId)?.offer(memberEvent(6, 'channel.member.leave'));
    expect(await result()).toEqual({ channelId, error: { code: 'unavailable' } });
    expect(session.rooms.has(channelId)).toBe(false);
  });

  // The race: the channel is deleted, and its sockets are notified, just before this socket enters.
  it('is refused when the channel was deleted meanwhile', async () => {
    for (const since of [null, 0]) {
      const { result, rooms, session } = await subscribing(since);
      rooms.get(channelId)?.offer(eventOf(6, { type: 'channel.delete', channelId }));
      expect(await result()).toEqual({ channelId, error: { code: 'not_found' } });
      expect(session.rooms.has(channelId)).toBe(false);
    }
  });

  it('is answered although its channel was deleted in another epoch', async () => {
    const { rooms, session } = await subscribing(null);
    const room = rooms.get(channelId);
    room?.offer(eventOf(6, { type: 'channel.delete', channelId }));
    rooms.beginEpoch(new Map([[channelId, 5]]));
    expect([room?.isDeleted, room?.hasLeftSince(0, session.agentId)]).toEqual([false, false]);
  });
});

describe('a subscribe of an admin that reads along', () => {
  // The race: the observer becomes a member after its rights were read and before it enters the room.
  // Invariant: every subscribed member is present, and an observer is not.
  it.each([
    [true, ['observer', 'joined']],
    [false, ['observer']],
  ])('makes it present only as a member (joined meanwhile: %s)', async (hasJoined, expected) => {
    const { result, rooms, access, log, present } = await subscribing(0, 1, true);
    if (hasJoined) {
      log.push(memberEvent(6, 'channel.member.join'));
      rooms.get(channelId)?.offer(log[5] as EncodedEnvelope);
      Object.assign(access, { head: 6, role: 'member' });
    }
    await result();
    await new Promise(setImmediate);
    expect(present).toEqual(expected);
  });
});

describe('a subscribe to many channels', () => {
  // The fault: the hub was behind in many channels, and the store became unavailable. The hub then waited two seconds
  // for each topic, one after the other.
  it('waits no longer for all of them together than for one', async () => {
    const ids = range(1, 100).map((number) => `c${number}`);
    let nowMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const raised = new Set<string>();
    let raisedFirst = 0;
    const roomOf = (id: string) => ({
      head: 0,
      update: () => undefined,
      raise: () => raised.add(id),
      hasLeftSince: () => false,
      async whenReached(_head: number, timeoutMs: number) {
        raisedFirst ||= raised.size;
        nowMs += timeoutMs;
        return false;
      },
    });
    const access = {
      kind: 'private',
      head: 5,
      role: 'member',
      archived: false,
      floor: 1,
      rewrites: 0,
    };
    const hub = {
      store: { epoch: 'e', access: async () => new Map(ids.map((id) => [id, access])) },
      rooms: { epochGeneration: 0, open: async (id: string) => roomOf(id) },
      slices: createTimeSlicedQueue({ clock: () => 0 }),
      presence: { prepare: () => undefined },
    } as unknown as MethodDeps;
    const session = { agentId: 'ben', isOpen: true } as unknown as Session;
    const identity = identityOf('ben');
    const topics = ids.map((id) => ({ channelId: id, since: 0 }));
    const params = { topics, epoch: 'e' };
    const answer = await subscriptionMethods(hub).subscribe(
      { identity, transport: 'ws', session },
      params,
    );
    clock.mockRestore();
    if (!('resultSteps' in answer)) throw new Error('the subscribe was refused');
    const result = JSON.parse(Buffer.concat(runNow(answer.resultSteps())).toString()) as object;
    expect(result).toEqual({
      topics: ids.map((id) => ({ channelId: id, error: { code: 'unavailable' } })),
    });
    expect([nowMs, raisedFirst]).toEqual([2_000, 100]);
  });

  // The fault: the store hung while the missed events of 200 topics were read, and each topic waited for its own
  // timeout. Invariant: topics that need no read are still answered.
  it.each(['fails', 'is slow'])('reads little more once the store %s', async (how) => {
    let nowMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    let reads = 0;
    const roomOf = (id: string) => ({
      ...{ channelId: id, head: 5, floor: 1, isDeleted: false },
      update: () => undefined,
      raise: () => undefined,
      hasLeftSince: () => false,
      whenReached: async () => true,
      after: (seq: number) => (id === 'c200' || seq === 5 ? [] : null),
      async encodedPage() {
        if (id === 'c200') return { pieces: [], bytes: 0, count: 0, lastSeq: 5 };
        reads += 1;
        nowMs += 2_900;
        if (how === 'fails') throw new ChatStoreError('unavailable', 'no answer in time');
        return { pieces: [], bytes: 0, count: 5, lastSeq: 5 };
      },
    });
    const ids = range(1, 200).map((number) => `c${number}`);
    const opened = new Map(ids.map((id) => [id, roomOf(id)]));
    const access = {
      kind: 'private',
      head: 5,
      role: 'member',
      archived: false,
      floor: 1,
      rewrites: 0,
    };
    const hub = {
      store: { epoch: 'e', access: async () => new Map(ids.map((id) => [id, access])) },
      rooms: {
        epochGeneration: 0,
        open: async (id: string) => opened.get(id),
        get: (id: string) => opened.get(id),
      },
      slices: createTimeSlicedQueue({ clock: () => 0 }),
      presence: { prepare: () => undefined, enter: () => true },
    } as unknown as MethodDeps;
    const session = {
      ...{ agentId: 'ben', isOpen: true, rooms: new Map(), topics: 0 },
      enter: () => undefined,
    } as unknown as Session;
    const identity = identityOf('ben');
    const topics = ids.map((id) => ({ channelId: id, since: 0 }));
    const answer = await subscriptionMethods(hub).subscribe(
      { identity, transport: 'ws', session },
      { topics, epoch: 'e' },
    );
    clock.mockRestore();
    if (!('resultSteps' in answer)) throw new Error('the subscribe was refused');
    const result = JSON.parse(Buffer.concat(runNow(answer.resultSteps())).toString()) as {
      topics: { error?: { code: string }; resumed?: boolean }[];
    };
    const refused = result.topics.filter(({ error }) => error?.code === 'unavailable');
    // Each read takes 2.9 s, so the fourth is the last to begin within 10 s.
    const [mayRead, mayFail] = how === 'fails' ? [1, 199] : [4, 195];
    expect([reads, refused.length]).toEqual([mayRead, mayFail]);
    expect(result.topics.at(-1)).toMatchObject({ resumed: true });
  });
});

describe('an unsubscribe from direct channels', () => {
  const directs = range(1, limits.topics + 1).map((n) => `dm_${String(n).padStart(32, '0')}`);

  // The fault: the hub remembers only a limited number of unsubscribed channels, and forgot one of them. The channel's
  // next event subscribed the socket again, from the start of the log.
  it('is refused, and ends nothing, beyond the number that the socket remembers', async () => {
    const { session, rooms, methods } = await subscribing(null);
    const caller = { session, transport: 'ws' as const, identity: session.identity };
    const last = directs.at(-1) ?? '';
    session.enter(rooms.openDirect(last, 3));
    expect(methods.unsubscribe(caller, { channelIds: directs.slice(0, -1) })).toMatchObject({
      ok: true,
    });
    const refused = { ok: false, code: 'too_large' };
    expect(methods.unsubscribe(caller, { channelIds: [channelId, last] })).toMatchObject(refused);
    expect([session.rooms.has(last), session.mayEnterDirect(directs[0] ?? '')]).toEqual([
      true,
      false,
    ]);
    const again = methods.unsubscribe(caller, { channelIds: [channelId, directs[0] ?? ''] });
    expect(again).toMatchObject({ ok: true });
  });
});

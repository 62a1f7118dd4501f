import { describe, expect, it, jest } from '@jest/globals';
import { createMemoryEventBus } from '@openclaw/events';
import {
  encodeEnvelope,
  limits,
  type ChannelEvent,
  type EncodedEnvelope,
} from '@openclaw/protocol';
import { pino } from 'pino';
import type { Hub } from './hub.ts';
import { createFlusher } from '../channels/flusher.ts';
import { createRooms } from '../channels/rooms.ts';
import { Session } from '../sockets/session.ts';
import { createSlices, runNow } from '../event-loop/slices.ts';
import { createPeer } from '../testing/peer.ts';
import { range, seqsOf } from '../testing/seqs.ts';
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
 * A subscribe of Ben's, from seq 0, that stands still at reading the log of five events, until it is let on; without
 * `since` it stands still before its answer is made.
 */
async function subscribing(since: number | null = 0, weight = 1) {
  const log = range(1, 5).map((seq) => heavyEvent(seq, weight));
  const reading = Promise.withResolvers<void>();
  const letOn = Promise.withResolvers<void>();
  const access = { kind: 'private', head: 5, role: 'member' as string | null, archived: false };
  const store = {
    epoch: 'e',
    access: async () => new Map([[channelId, { ...access }]]),
    async logPage(_channelId: string, after: number) {
      if (after < 5) {
        reading.resolve();
        await letOn.promise;
      }
      return { events: log.filter(({ seq }) => (seq ?? 0) > after), head: access.head };
    },
  } as unknown as Hub['store'];
  const [flusher, bus, nothing] = [createFlusher(), createMemoryEventBus(), () => undefined];
  const rooms = createRooms({
    ...{ store, bus, flusher, log: pino({ level: 'silent' }) },
    ...{ onOpened: nothing, onDelivered: nothing, onEphemeral: nothing, onForeignEpoch: nothing },
  });
  const bounds = {
    channels: null,
    jti: null,
    issuedAtMs: null,
    expiresAtMs: null,
    kind: 'agent' as const,
    onBehalfOf: null,
  };
  const identity = { agentId: 'ben', isAdmin: false, ...bounds };
  const { ws, socket } = createPeer('openclaw.v1');
  const deps = { store, flusher, onLag: nothing, onLeftRoom: nothing };
  const session = new Session(ws, socket, 'session', identity, deps);
  const hub = {
    rooms,
    store,
    slices: createSlices(),
    presence: { opened: nothing, entered: () => true },
  } as unknown as Hub;
  const params = { topics: [{ channelId, since }], epoch: 'e' };
  const answered = subscriptionMethods(hub).subscribe({ identity, session }, params);
  await (since === null ? answered : reading.promise);
  return {
    ...{ rooms, session, access, log },
    /** Lets the subscribe end, and answers what it says of its topic. */
    result: async () => {
      letOn.resolve();
      const answer = await answered;
      if (!('resultSteps' in answer)) throw new Error('the subscribe was refused');
      return JSON.parse(Buffer.concat(runNow(answer.resultSteps())).toString()).topics[0];
    },
  };
}

describe('a subscribe that is under way', () => {
  it('is answered with the events up to the head', async () => {
    const { result, session } = await subscribing();
    const topic = await result();
    expect([topic.head, topic.resumed, seqsOf(topic.events)]).toEqual([5, true, range(1, 5)]);
    expect(session.rooms.has(channelId)).toBe(true);
  });

  // The race: the database begins another life after the log was read. Invariant: nothing of the life before stands in an
  // answer of this one; the client asks again.
  it('is refused for now when the database began another life meanwhile', async () => {
    const { result, rooms, session } = await subscribing();
    rooms.restart(new Map([[channelId, 3]]));
    expect(await result()).toEqual({ channelId, error: { code: 'unavailable' } });
    expect(session.rooms.has(channelId)).toBe(false);
  });

  // The race: the agent is removed after the store said that it is a member. Invariant: it reads nothing, and enters not.
  it('is refused when its agent left the channel meanwhile', async () => {
    const { result, rooms, session, access } = await subscribing();
    rooms.get(channelId)?.offer(memberEvent(6, 'channel.member.leave'));
    Object.assign(access, { head: 6, role: null });
    expect(await result()).toEqual({ channelId, error: { code: 'not_found' } });
    expect(session.rooms.has(channelId)).toBe(false);
  });

  // The race: the agent is removed and added again meanwhile, and the hub has heard of both, or of the leave alone.
  // Invariant: a member is not refused, for a client takes `forbidden` as final.
  it.each(['both', 'the leave alone'])(
    'enters one who was added again, of which %s came',
    async (came) => {
      const { result, rooms, session, access, log } = await subscribing();
      const events = [
        memberEvent(6, 'channel.member.leave'),
        memberEvent(7, 'channel.member.join'),
      ];
      log.push(...events);
      access.head = 7;
      for (const event of came === 'both' ? events : events.slice(0, 1)) {
        rooms.get(channelId)?.offer(event);
      }
      const topic = await result();
      expect([topic.head, topic.resumed, seqsOf(topic.events)]).toEqual([7, true, range(1, 7)]);
      expect(session.rooms.has(channelId)).toBe(true);
    },
  );

  // The race: the newest events do not fit into the result, and among them is the leave of one who is back. Invariant: a
  // leave that comes live is final, so that what is past must not come live.
  it('is not resumed when its leave would come live though it is back', async () => {
    const { result, rooms, access, log } = await subscribing(0, limits.resumeBytes / 6);
    const events = [memberEvent(6, 'channel.member.leave'), memberEvent(7, 'channel.member.join')];
    log.push(...events, heavyEvent(8, limits.resumeBytes / 2));
    access.head = 8;
    for (const event of log.slice(5)) rooms.get(channelId)?.offer(event);
    expect(await result()).toMatchObject({ head: 8, resumed: false, events: [] });
  });

  // The race: as above, but the leave comes when nothing can be asked any more.
  it('is to be asked again when its agent left at the last moment', async () => {
    const { result, rooms, session } = await subscribing(null);
    rooms.get(channelId)?.offer(memberEvent(6, 'channel.member.leave'));
    expect(await result()).toEqual({ channelId, error: { code: 'unavailable' } });
    expect(session.rooms.has(channelId)).toBe(false);
  });

  // The race: the channel is deleted, and everyone in it is told, between membership being read and the socket's entry.
  // Invariant: nobody follows a channel that is gone without hearing of it.
  it('is refused when the channel was deleted meanwhile', async () => {
    for (const since of [null, 0]) {
      const { result, rooms, session } = await subscribing(since);
      rooms.get(channelId)?.offer(eventOf(6, { type: 'channel.delete', channelId }));
      expect(await result()).toEqual({ channelId, error: { code: 'not_found' } });
      expect(session.rooms.has(channelId)).toBe(false);
    }
  });

  // The control: what happened in a life of the database before says nothing of this one.
  it('is answered in a room whose channel was deleted in another epoch', async () => {
    const { rooms, session } = await subscribing(null);
    const room = rooms.get(channelId);
    room?.offer(eventOf(6, { type: 'channel.delete', channelId }));
    rooms.restart(new Map([[channelId, 5]]));
    expect([room?.isDeleted, room?.hasLeftSince(0, session.agentId)]).toEqual([false, false]);
  });
});

describe('a subscribe to many channels', () => {
  // The race: the hub is behind in many channels when the store goes away. Each topic waited for two seconds, one after
  // the other, and the socket's calls on all these channels waited for that. Invariant: every call ends in its time.
  it('waits for all of them together no longer than for one', async () => {
    const ids = range(1, 100).map((number) => `c${number}`);
    let nowMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const raised = new Set<string>();
    let raisedFirst = 0;
    const roomOf = (id: string) => ({
      head: 0,
      raise: () => raised.add(id),
      hasLeftSince: () => false,
      async reached(_head: number, timeoutMs: number) {
        raisedFirst ||= raised.size;
        nowMs += timeoutMs;
        return false;
      },
    });
    const access = { kind: 'private', head: 5, role: 'member', archived: false };
    const hub = {
      store: { epoch: 'e', access: async () => new Map(ids.map((id) => [id, access])) },
      rooms: { restarts: 0, open: async (id: string) => roomOf(id) },
      slices: createSlices({ clock: () => 0 }),
      presence: { opened: () => undefined },
    } as unknown as Hub;
    const session = { agentId: 'ben', isOpen: true } as unknown as Session;
    const bounds = {
      channels: null,
      jti: null,
      issuedAtMs: null,
      expiresAtMs: null,
      kind: 'agent' as const,
      onBehalfOf: null,
    };
    const identity = { agentId: 'ben', isAdmin: false, ...bounds };
    const topics = ids.map((id) => ({ channelId: id, since: 0 }));
    const params = { topics, epoch: 'e' };
    const answer = await subscriptionMethods(hub).subscribe({ identity, session }, params);
    clock.mockRestore();
    if (!('resultSteps' in answer)) throw new Error('the subscribe was refused');
    const result = JSON.parse(Buffer.concat(runNow(answer.resultSteps())).toString()) as object;
    expect(result).toEqual({
      topics: ids.map((id) => ({ channelId: id, error: { code: 'unavailable' } })),
    });
    expect([nowMs, raisedFirst]).toEqual([2_000, 100]);
  });
});

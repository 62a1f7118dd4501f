import { describe, expect, it } from '@jest/globals';
import { createMemoryEventBus } from '@openclaw/events';
import { encodeEnvelope, type ChannelEvent, type EncodedEnvelope } from '@openclaw/protocol';
import { pino } from 'pino';
import type { Hub } from '../hub.ts';
import { createFlusher } from '../live/flusher.ts';
import { createRooms } from '../live/rooms.ts';
import { Session } from '../live/session.ts';
import { createSlices, runNow } from '../slices.ts';
import { createPeer } from '../testing/peer.ts';
import { range, seqsOf } from '../testing/seqs.ts';
import { subscriptionMethods } from './subscriptions.ts';

const channelId = 'c';

function eventOf(seq: number, event: ChannelEvent): EncodedEnvelope {
  return encodeEnvelope({
    ...{ id: `e${seq}`, event, timestamp: 1, senderId: 'ana', channelId, seq, epoch: 'e' },
  });
}

/** A subscribe of Ben's, from seq 0, that stands still at reading the log of five events, until it is let on. */
async function subscribing() {
  const log = range(1, 5).map((seq) =>
    eventOf(seq, { type: 'collaboration.event', channelId, name: 'n', payload: {} }),
  );
  const reading = Promise.withResolvers<void>();
  const letOn = Promise.withResolvers<void>();
  const store = {
    epoch: 'e',
    access: async () =>
      new Map([[channelId, { kind: 'private', head: 5, role: 'member', archived: false }]]),
    async logPage(_channelId: string, after: number) {
      if (after <= 5) {
        reading.resolve();
        await letOn.promise;
      }
      return { events: log.filter(({ seq }) => (seq ?? 0) > after), head: 5 };
    },
  } as unknown as Hub['store'];
  const [flusher, bus, nothing] = [createFlusher(), createMemoryEventBus(), () => undefined];
  const rooms = createRooms({
    ...{ store, bus, flusher, log: pino({ level: 'silent' }) },
    ...{ onOpened: nothing, onDelivered: nothing, onEphemeral: nothing, onForeignEpoch: nothing },
  });
  const bounds = { channels: null, jti: null, issuedAtMs: null, expiresAtMs: null };
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
  const params = { topics: [{ channelId, since: 0 }], epoch: 'e' };
  const answered = subscriptionMethods(hub).subscribe({ identity, session }, params);
  await reading.promise;
  return {
    ...{ rooms, session },
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
    const { result, rooms, session } = await subscribing();
    const member = { channelId, agentId: 'ben', role: 'member', displayName: null, joinedAt: 1 };
    rooms
      .get(channelId)
      ?.offer(eventOf(6, { type: 'channel.member.leave', channelId, member } as ChannelEvent));
    expect(await result()).toEqual({ channelId, error: { code: 'forbidden' } });
    expect(session.rooms.has(channelId)).toBe(false);
  });
});

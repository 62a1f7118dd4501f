import { describe, expect, it } from '@jest/globals';
import type { Access, ChatStore } from '@openclaw/chat-store';
import { createMemoryCache } from '@openclaw/cache';
import { createMemoryEventBus } from '@openclaw/events';
import { encodeEnvelope } from '@openclaw/protocol';
import { pino } from 'pino';
import { beginEpoch } from './epoch.ts';
import { createFlusher } from '../channels/flusher.ts';
import { createRooms } from '../channels/rooms.ts';
import { identityOf } from '../testing/identity.ts';
import { createPeer } from '../testing/peer.ts';
import { Session } from '../sockets/session.ts';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { createSessions } from '../sockets/sessions.ts';
import { createUnsentBudget } from '../sockets/unsent-budget.ts';

describe('a new epoch', () => {
  // The race: a room is opened while the heads of the other rooms are read. A room that continued from 0 would send its
  // whole log as new events.
  it('begins at the head of every room, even of one that is opened meanwhile', async () => {
    const heads = new Map([
      ['early', 3],
      ['late', 5],
    ]);
    const asked: (readonly string[])[] = [];
    const nothing = () => undefined;
    const rooms = createRooms({
      store: {
        epoch: 'e',
        logPage: async (channelId: string) => ({
          events: [],
          head: heads.get(channelId) ?? 0,
          epoch: 'e',
        }),
      } as unknown as ChatStore,
      bus: createMemoryEventBus(),
      flusher: createFlusher(),
      log: pino({ level: 'silent' }),
      cache: createMemoryCache(),
      onEphemeral: nothing,
      onForeignEpoch: nothing,
    });
    await rooms.open('early');
    await rooms.open('gone');
    await beginEpoch({
      store: {
        async heads(channelIds) {
          asked.push(channelIds);
          await rooms.open('late');
          return heads;
        },
        access: async () => new Map<string, Access>(),
      },
      rooms,
      sessions: createSessions(),
      cache: { drop: async () => undefined },
    });
    expect(asked).toEqual([['early', 'gone'], ['late']]);
    const now = ['early', 'late', 'gone'].map((channelId) => rooms.get(channelId)?.head);
    expect([rooms.epochGeneration, now]).toEqual([1, [3, 5, 0]]);
    await rooms.close();
  });

  // The fault: rights were read for one session after the other, while the tail check waited. Each read also queued
  // behind the agent's own calls.
  it('reads rights once for each agent, a bounded number at a time', async () => {
    const sessions = createSessions();
    for (let n = 0; n < 300; n++) {
      const rooms = new Map([[n % 3 === 0 ? 'a' : 'b', null]]);
      const agentId = `agent${Math.floor(n / 3)}`;
      const leave = () => undefined;
      sessions.add({ agentId, rooms, leave, identity: {} } as unknown as Session);
    }
    const asked: [string, number][] = [];
    let [reading, most] = [0, 0];
    const turns = new Set<string | null | undefined>();
    await beginEpoch({
      store: {
        heads: async () => new Map(),
        async access(agentId, channelIds, turnOf) {
          asked.push([agentId, channelIds.length]);
          turns.add(turnOf);
          most = Math.max(most, ++reading);
          await new Promise((resolve) => setImmediate(resolve));
          reading -= 1;
          return new Map<string, Access>();
        },
      },
      rooms: { channelIds: () => [], beginEpoch: () => undefined },
      sessions,
      cache: { drop: async () => undefined },
    });
    expect(new Set(asked.map(([agentId]) => agentId)).size).toBe(100);
    expect(asked).toHaveLength(100);
    expect(asked.every(([, channels]) => channels === 2)).toBe(true);
    expect([most, [...turns]]).toEqual([16, [null]]);
  });

  // The race: events of the new epoch arrive while rights are read, and right after the rooms were restarted.
  // Negative control: a member gets all of them.
  it('gives nothing of the new epoch to agents that are not members in it', async () => {
    const state = { epoch: 'old' };
    const [flusher, nothing] = [createFlusher(), () => undefined];
    const rooms = createRooms({
      store: {
        get epoch() {
          return state.epoch;
        },
        logPage: async () => ({ events: [], head: 3, epoch: state.epoch }),
      } as unknown as ChatStore,
      bus: createMemoryEventBus(),
      flusher,
      log: pino({ level: 'silent' }),
      cache: createMemoryCache(),
      onEphemeral: nothing,
      onForeignEpoch: nothing,
    });
    const room = await rooms.open('early');
    const sessions = createSessions();
    const connect = (agentId: string) => {
      const { peer, ws, socket } = createPeer('openclaw.v1');
      const session = new Session(ws, socket, agentId, identityOf(agentId), {
        store: {} as ChatStore,
        flusher,
        unsent: createUnsentBudget(),
        slices: createTimeSlicedQueue(),
        onLag: nothing,
        onLeftRoom: nothing,
      });
      sessions.add(session);
      session.enter(room);
      return { peer, session };
    };
    const [member, outsider] = [connect('ana'), connect('ben')];
    const publish = (seq: number) => {
      const event = { type: 'collaboration.event', channelId: 'early', name: 'n' } as const;
      const place = { channelId: 'early', seq, epoch: 'new' };
      const rest = { id: `e${seq}`, timestamp: 1, senderId: 'ana', senderKind: null, ...place };
      const current = rooms.get('early');
      if (current)
        rooms.offer(current, encodeEnvelope({ ...rest, event: { ...event, payload: {} } }));
    };
    state.epoch = 'new';
    await beginEpoch({
      store: {
        heads: async () => new Map([['early', 3]]),
        async access(agentId) {
          publish(4);
          await new Promise((resolve) => setImmediate(resolve));
          const role = agentId === 'ana' ? ('member' as const) : null;
          return new Map([
            [
              'early',
              { kind: 'private' as const, head: 3, role, archived: false, floor: 1, rewrites: 0 },
            ],
          ]);
        },
      },
      rooms,
      sessions,
      cache: {
        async drop() {
          publish(4);
          publish(5);
        },
      },
    });
    room.flush();
    for (const { session } of [member, outsider]) session.flush();
    expect([member.peer.seqs, outsider.peer.seqs]).toEqual([[4, 5], []]);
    const received = [member, outsider].map(({ peer }) => peer.objects[0].method);
    expect(received).toEqual(['discontinuity', 'discontinuity']);
    expect(outsider.peer.objects.slice(1)).toEqual([
      expect.objectContaining({
        params: { channelId: 'early', head: 3, reason: 'epoch', error: { code: 'forbidden' } },
      }),
    ]);
    expect(outsider.session.rooms.size).toBe(0);
    await rooms.close();
  });

  // The fault: rooms were restarted before rights were read, so each failed attempt restarted every room.
  it('changes no room when rights cannot be read', async () => {
    const restarted: unknown[] = [];
    const sessions = createSessions();
    sessions.add({ agentId: 'ana', rooms: new Map([['a', null]]) } as unknown as Session);
    const begun = beginEpoch({
      store: {
        heads: async () => new Map(),
        access: () => Promise.reject(new Error('the database is away')),
      },
      rooms: { channelIds: () => ['a'], beginEpoch: (heads) => void restarted.push(heads) },
      sessions,
      cache: { drop: async () => undefined },
    });
    await expect(begun).rejects.toThrow('away');
    expect(restarted).toEqual([]);
  });
});

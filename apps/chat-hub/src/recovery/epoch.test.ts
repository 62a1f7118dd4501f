import { describe, expect, it } from '@jest/globals';
import type { ChatStore } from '@openclaw/chat-store';
import { createMemoryEventBus } from '@openclaw/events';
import { pino } from 'pino';
import { beginEpoch } from './epoch.ts';
import { createFlusher } from '../channels/flusher.ts';
import { createRooms } from '../channels/rooms.ts';
import { createSessions } from '../sockets/sessions.ts';

describe('another life of the database', () => {
  // The race: a room is opened while the heads of the others are read. Invariant: every room goes on from its own head;
  // from 0 its whole log would be told to its sockets as new.
  it('begins at the head of every room, also of one that is opened meanwhile', async () => {
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
          ...{ events: [], head: heads.get(channelId) ?? 0, epoch: 'e' },
        }),
      } as unknown as ChatStore,
      ...{ bus: createMemoryEventBus(), flusher: createFlusher(), log: pino({ level: 'silent' }) },
      ...{ onOpened: nothing, onDelivered: nothing, onEphemeral: nothing, onForeignEpoch: nothing },
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
        access: async () => new Map(),
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
});

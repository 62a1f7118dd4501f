import { describe, expect, it } from '@jest/globals';
import type { ChatStore } from '@openclaw/chat-store';
import { createMemoryEventBus } from '@openclaw/events';
import { encodeEnvelope } from '@openclaw/protocol';
import { pino } from 'pino';
import { createAgentTopics } from './agent-topics.ts';
import { createFlusher } from './flusher.ts';
import { createRooms } from './rooms.ts';
import type { Session } from './session.ts';
import { createSessions } from './sessions.ts';

const channelId = `dm_${'0'.repeat(32)}`;

async function createBench() {
  const [bus, sessions, nothing] = [createMemoryEventBus(), createSessions(), () => undefined];
  const foreign: string[] = [];
  const rooms = createRooms({
    store: { epoch: 'now', logPage: async () => ({ events: [], head: 0 }) } as unknown as ChatStore,
    ...{ bus, flusher: createFlusher(), log: pino({ level: 'silent' }) },
    ...{ onOpened: nothing, onDelivered: nothing, onEphemeral: nothing, onForeignEpoch: nothing },
  });
  const identity = { agentId: 'ben', channels: null };
  sessions.add({
    ...{ agentId: 'ben', identity, rooms: new Map(), mutedDirects: new Set() },
    ...{ earlyDirects: new Map(), knowsAllDirects: false, isWelcomed: false },
  } as unknown as Session);
  const topics = createAgentTopics({
    ...{ bus, rooms, sessions, onEphemeral: nothing, epoch: () => 'now' },
    onForeignEpoch: () => foreign.push('told'),
  });
  await topics.join('ben');
  const publish = (seq: number, epoch: string) => {
    const event = { type: 'collaboration.event', channelId, name: 'n', payload: {} } as const;
    const envelope = { id: `${epoch}-${seq}`, event, timestamp: 1, senderId: 'ana', channelId };
    return bus.publish(encodeEnvelope({ ...envelope, seq, epoch }), { agents: ['ben'] });
  };
  return { rooms, foreign, publish };
}

describe('a direct channel that is not yet live', () => {
  // The race: an event of the life before arrives when another has begun. Invariant: a channel stands where the log of
  // this life stands; opened at that event's seq it would drop what comes, until the log has grown past it.
  it('is not opened by an event of another life, but asked for', async () => {
    const { rooms, foreign, publish } = await createBench();
    await publish(40, 'before');
    expect([rooms.size, foreign]).toEqual([0, ['told']]);
    await publish(4, 'now');
    expect(rooms.get(channelId)?.head).toBe(4);
  });
});

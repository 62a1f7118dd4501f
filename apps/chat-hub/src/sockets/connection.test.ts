import { describe, expect, it } from '@jest/globals';
import { createMemoryEventBus } from '@openclaw/events';
import { encodeEnvelope, limits, type EncodedEnvelope } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { createConnectionHandler } from './connection.ts';
import type { Hub } from '../methods/hub.ts';
import { createAgentTopics } from '../channels/agent-topics.ts';
import { createDirectHeads } from '../channels/direct-heads.ts';
import { createFlusher } from '../channels/flusher.ts';
import { createRooms } from '../channels/rooms.ts';
import { createSessions } from './sessions.ts';
import { createPeer } from '../testing/peer.ts';
import { range } from '../testing/seqs.ts';

const channelId = `dm_${'0'.repeat(32)}`;
const epoch = 'e';
const log = pino({ level: 'silent' });

/** A connection of `ben` whose direct channels the store names when the test says so. */
async function connecting() {
  const stored: EncodedEnvelope[] = [];
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<{ channelId: string; head: number }[]>();
  const store = {
    epoch,
    directChannels() {
      asked.resolve();
      return answer.promise;
    },
    logPage: async (_channelId: string, after: number, limit: number) => ({
      events: stored.slice(after, after + limit),
      head: stored.length,
    }),
  } as unknown as Hub['store'];
  const bus = createMemoryEventBus();
  const [flusher, sessions] = [createFlusher(), createSessions()];
  const nothing = () => undefined;
  const rooms = createRooms({
    ...{ store, bus, flusher, log },
    ...{ onOpened: nothing, onDelivered: nothing, onEphemeral: nothing, onForeignEpoch: nothing },
  });
  const directHeads = createDirectHeads({ store, restarts: () => rooms.restarts });
  const agentTopics = createAgentTopics({
    ...{ bus, rooms, sessions, heads: directHeads, onEphemeral: nothing, onForeignEpoch: nothing },
    epoch: () => store.epoch,
  });
  const gone = { gone: nothing, left: nothing };
  const metrics = { closedConnections: { inc: nothing } };
  const knownAgents = { seen: nothing };
  const hub = { store, rooms, sessions, knownAgents, log, metrics, presence: gone, typing: gone };
  const dispatcher = { dispatch: () => true, refuseBinary: () => undefined };
  const onAccepted = createConnectionHandler({
    ...{ hub: hub as unknown as Hub, flusher, agentTopics, directHeads, dispatcher },
    calls: { count: () => null, barredForMs: () => null },
  });

  const { peer, ws, socket } = createPeer('openclaw.v1');
  const bounds = {
    channels: null,
    jti: null,
    issuedAtMs: null,
    expiresAtMs: null,
    kind: 'agent' as const,
    onBehalfOf: null,
  };
  onAccepted({ ws, socket, identity: { agentId: 'ben', isAdmin: false, ...bounds } });
  await asked.promise;

  return {
    ...{ peer, ws, directHeads },
    answer: (directs: { channelId: string; head: number }[]) => answer.resolve(directs),
    /** Commits an event of the direct channel, and publishes it unless it is lost. */
    async commit(type: 'channel.message' | 'channel.message.delete', isLost = false) {
      const seq = stored.length + 1;
      // A deletion is always of the first message.
      const isDeleted = type === 'channel.message.delete';
      const message = {
        ...{ id: isDeleted ? 'm1' : `m${seq}`, channelId, seq: isDeleted ? 1 : seq },
        ...{ senderId: 'ana', senderKind: null, state: 'complete' as const },
        ...{ content: isDeleted ? '' : 'hi', timestamp: 1, threadId: null },
        ...{ mentions: [], metadata: null, editedAt: null, reactions: {} },
        deletedAt: isDeleted ? 1 : null,
      };
      const event = encodeEnvelope({
        ...{
          id: `e${seq}`,
          event: { type, channelId, message },
          timestamp: 1,
          senderId: 'ana',
          senderKind: null,
        },
        ...{ channelId, seq, epoch },
      });
      stored.push(event);
      if (!isLost) await bus.publish(event, { agents: ['ana', 'ben'] });
    },
  };
}

/** A full list: the heads of the channels beyond it are read too. */
const fullList = range(1, limits.welcomeDirect).map((n) => ({
  ...{ channelId: `dm_${String(n).padStart(32, '0')}`, head: 1 },
}));

const welcomed = async ({ peer }: Awaited<ReturnType<typeof connecting>>) =>
  waitFor(() => peer.objects.find(({ method }) => method === 'welcome'), { what: 'the welcome' });

describe('direct events between the store being asked and the welcome', () => {
  // The race: the agent's topic is live, the store has been asked for its direct channels, and a new one gets its first
  // events before the answer is worked up. Invariant: the welcome names the channel, and the events follow it.
  it('of a new channel follow the welcome, from the first on', async () => {
    const connection = await connecting();
    await connection.commit('channel.message');
    await connection.commit('channel.message');
    connection.answer([]);
    const { params } = await welcomed(connection);
    await connection.commit('channel.message');
    await waitFor(() => connection.peer.seqs.at(-1) === 3, { what: 'the last event' });
    expect(params.direct).toEqual([{ channelId, head: 0 }]);
    expect(connection.peer.seqs).toEqual([1, 2, 3]);
    expect(connection.peer.objects[0].method).toBe('welcome');
  });

  // The race: as above, and one of the events is deleted, so that the hub's memory has forgotten it. Invariant: as above.
  it('follow the welcome also when one of them was deleted meanwhile', async () => {
    const connection = await connecting();
    await connection.commit('channel.message');
    await connection.commit('channel.message');
    await connection.commit('channel.message.delete');
    connection.answer([]);
    await welcomed(connection);
    await connection.commit('channel.message');
    await waitFor(() => connection.peer.seqs.at(-1) === 4, { what: 'the last event' });
    expect(connection.peer.seqs).toEqual([1, 2, 3, 4]);
  });

  // The race: the store named the channel, and it went on before the welcome. Invariant: the head that the welcome names
  // and the live events after it are one unbroken run.
  it('of a channel that the store named are within the head of the welcome, or follow it', async () => {
    const connection = await connecting();
    for (let sent = 1; sent <= 5; sent++) await connection.commit('channel.message', sent !== 4);
    connection.answer([{ channelId, head: 3 }]);
    const { params } = await welcomed(connection);
    const [{ head }] = params.direct;
    await connection.commit('channel.message');
    await waitFor(() => connection.peer.seqs.at(-1) === 6, { what: 'the last event' });
    expect(head).toBeGreaterThanOrEqual(3);
    expect(connection.peer.seqs).toEqual(range(head + 1, 6));
  });
});

describe('a connection that ends before its welcome', () => {
  // The race: the agent's only socket is sent away while the store is asked for its direct channels. Invariant: nothing
  // is kept for it; a list of heads that nobody keeps up would let a later connection begin at them, days behind.
  it('leaves no heads of direct channels behind', async () => {
    const connection = await connecting();
    connection.ws.terminate();
    connection.ws.emit('close', 1006, Buffer.alloc(0));
    connection.answer(fullList);
    await new Promise((resolve) => setImmediate(resolve));
    expect(connection.directHeads.size).toBe(0);
    expect(connection.directHeads.headOf('ben', fullList[0]?.channelId ?? '')).toBeNull();
  });
});

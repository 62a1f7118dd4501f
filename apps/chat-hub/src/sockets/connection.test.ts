import { afterAll, describe, expect, it } from '@jest/globals';
import type { DirectChannel } from '@openclaw/chat-store';
import { createMemoryCache } from '@openclaw/cache';
import { createMemoryEventBus } from '@openclaw/events';
import { encodeEnvelope, limits, type EncodedEnvelope } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { createConnectionHandler, type ConnectionDeps } from './connection.ts';
import { createAgentTopics } from './agent-topics.ts';
import { createDirectHeads } from '../channels/direct-heads.ts';
import { createFlusher } from '../channels/flusher.ts';
import { createRooms } from '../channels/rooms.ts';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { createHeartbeat } from './heartbeat.ts';
import { createSessions } from './sessions.ts';
import { createUnsentBudget } from './unsent-budget.ts';
import { identityOf } from '../testing/identity.ts';
import { createPeer } from '../testing/peer.ts';
import { range } from '../testing/seqs.ts';

const channelId = `dm_${'0'.repeat(32)}`;
const epoch = 'e';
const log = pino({ level: 'silent' });

const heartbeat = createHeartbeat();
afterAll(() => heartbeat.close());

async function connecting() {
  const stored: EncodedEnvelope[] = [];
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<DirectChannel[]>();
  const store = {
    epoch,
    async directChannels(_agentId: string, _limit: number, after?: string) {
      asked.resolve();
      const latest = await answer.promise;
      if (after === undefined || stored.length === 0) return latest;
      return [...latest, { channelId, head: stored.length, activeAt: 2 }];
    },
    access: async (_agentId: string, ids: readonly string[]) =>
      new Map(ids.map((id) => [id, { head: id === channelId ? stored.length : 1 }])),
    logPage: async (_channelId: string, after: number, limit: number) => ({
      events: stored.slice(after, after + limit),
      head: stored.length,
    }),
  } as unknown as ConnectionDeps['store'];
  const bus = createMemoryEventBus();
  const [flusher, sessions] = [createFlusher(), createSessions()];
  const nothing = () => undefined;
  const rooms = createRooms({
    store,
    bus,
    flusher,
    log,
    cache: createMemoryCache(),
    onEphemeral: nothing,
    onForeignEpoch: nothing,
  });
  const directHeads = createDirectHeads({ store, epochGeneration: () => rooms.epochGeneration });
  const agentTopics = createAgentTopics({
    bus,
    store,
    rooms,
    sessions,
    heads: directHeads,
    onEphemeral: nothing,
    onForeignEpoch: nothing,
  });
  const feed = { disconnect: nothing, leave: nothing };
  const metrics = { closedConnections: { inc: nothing } };
  const [unsent, slices] = [createUnsentBudget(), createTimeSlicedQueue()];
  const presence = { ...feed, disconnect: () => Promise.resolve() };
  const feeds = { presence, typing: feed, turns: { disconnected: nothing } };
  const knownAgents = { seen: nothing };
  const connectedAgents = { connected: nothing };
  const agents = { knownAgents, connectedAgents };
  const hub = { store, rooms, sessions, log, metrics, unsent, slices, ...agents, ...feeds };
  const dispatcher = { dispatch: () => true, refuseBinary: () => undefined };
  const onAccepted = createConnectionHandler({
    ...(hub as unknown as ConnectionDeps),
    flusher,
    agentTopics,
    dispatcher,
    heartbeat,
    revocations: { has: () => false },
    allowance: { count: () => null, barredForMs: () => null },
  });

  const { peer, ws, socket } = createPeer('openclaw.v1');
  onAccepted({
    ws,
    socket,
    identity: identityOf('ben'),
    trace: { requestId: 'r' },
  });
  await asked.promise;

  return {
    peer,
    ws,
    directHeads,
    answer: (directs: { channelId: string; head: number }[]) =>
      answer.resolve(directs.map((direct) => ({ ...direct, activeAt: 1 }))),
    async commit(type: 'channel.message' | 'channel.message.delete', isLost = false) {
      const seq = stored.length + 1;
      const isDeleted = type === 'channel.message.delete';
      const message = {
        id: isDeleted ? 'm1' : `m${seq}`,
        channelId,
        seq: isDeleted ? 1 : seq,
        senderId: 'ana',
        senderKind: null,
        state: 'complete' as const,
        content: isDeleted ? '' : 'hi',
        timestamp: 1,
        threadId: null,
        mentions: [],
        metadata: null,
        editedAt: null,
        reactions: {},
        deletedAt: isDeleted ? 1 : null,
      };
      const event = encodeEnvelope({
        id: `e${seq}`,
        event: { type, channelId, message },
        timestamp: 1,
        senderId: 'ana',
        senderKind: null,
        channelId,
        seq,
        epoch,
      });
      stored.push(event);
      if (!isLost) await bus.publish(event, { agents: ['ana', 'ben'] });
    },
  };
}

describe('a connection that sends much at once', () => {
  // The attack: thousands of calls in one write, below the limit at which the agent is barred. Invariant: the hub
  // reads the other sockets in between.
  it('is read again in the next turn of the event loop', async () => {
    const { peer, ws, answer } = await connecting();
    answer([]);
    await waitFor(() => peer.objects.length === 1 && peer.isRead, { what: 'the welcome' });
    const frame = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}');
    const send = (frames: number) => {
      for (let sent = 0; sent < frames; sent += 1) ws.emit('message', frame, false);
    };
    send(100);
    expect(peer.isRead).toBe(true);
    send(100);
    expect(peer.isRead).toBe(false);
    await waitFor(() => peer.isRead, { what: 'the next turn' });
    send(100);
    expect(peer.isRead).toBe(true);
  });

  it('is not read again once it is closed', async () => {
    const { peer, ws, answer } = await connecting();
    answer([]);
    await waitFor(() => peer.objects.length === 1 && peer.isRead, { what: 'the welcome' });
    ws.emit('message', Buffer.alloc(20_000, ' '), false);
    ws.close(4429, 'too many');
    await new Promise((resolve) => setImmediate(resolve));
    expect(peer.isRead).toBe(false);
  });
});

/** This list fills a welcome, so the agent may have more channels. The hub must therefore read the heads of all. */
const fullList = range(1, limits.welcomeDirect).map((n) => ({
  channelId: `dm_${String(n).padStart(32, '0')}`,
  head: 1,
}));

const welcomed = async ({ peer }: Awaited<ReturnType<typeof connecting>>) =>
  waitFor(() => peer.objects.find(({ method }) => method === 'welcome'), { what: 'the welcome' });

describe('direct events between the read of direct channels and the welcome', () => {
  // The race: a new direct channel gets its first events while the list of channels is read. Invariant: the welcome
  // names the channel, and the events follow.
  it('of a new channel follow the welcome, beginning with the first', async () => {
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

  // The race: a new channel's event is deleted while direct channels are read, so the hub drops the event from memory.
  it('follow the welcome even if one of them was deleted meanwhile', async () => {
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

  // The race: the store returned the channel, and the channel got more events before the welcome.
  it('of a channel that the store returned are included in the welcome’s head, or follow it', async () => {
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

describe('a welcome with as many direct channels as it may name', () => {
  // The race: while the list of channels is read, a direct channel that is not in the list gets its first event.
  // Invariant: the welcome names no more channels than the protocol allows, and the event is not lost.
  it('names no further channel when another gets its first event meanwhile', async () => {
    const connection = await connecting();
    await connection.commit('channel.message');
    connection.answer(fullList);
    const { params } = await welcomed(connection);
    await connection.commit('channel.message');
    await waitFor(() => connection.peer.seqs.at(-1) === 2, { what: 'the last event' });
    expect(params.direct).toHaveLength(limits.welcomeDirect);
    const named = params.direct.find(
      (direct: { channelId: string }) => direct.channelId === channelId,
    );
    expect(connection.peer.seqs).toEqual(range(named.head + 1, 2));
  });
});

describe('a connection that ends before its welcome', () => {
  // The race: the agent's only socket closes while its direct channels are read. Heads kept in memory would not be
  // updated any more, and a later connection would start at outdated heads.
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

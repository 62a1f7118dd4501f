import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createChatStore, type ChatStore } from '@openclaw/chat-store';
import { methods } from '@openclaw/protocol';
import { holdLocks, startPostgres, waitFor, type PostgresServer } from '@openclaw/test-support';
import { pino } from 'pino';
import { createMetrics } from '../observe/metrics.ts';
import type { Rooms } from '../channels/rooms.ts';
import { startTailCheck } from './tail-check.ts';

describe('the tail check on PostgreSQL', () => {
  let server: PostgresServer;
  let mine: ChatStore;
  let theirs: ChatStore;

  beforeAll(async () => {
    server = await startPostgres();
    mine = await createChatStore({ url: server.url });
    theirs = await createChatStore({ url: server.url });
  }, 60_000);
  afterAll(async () => {
    await Promise.all([mine.close(), theirs.close()]);
    await server.stop();
  });

  // The race: a transaction stays open on the server while more channels change than one statement reads. While Redis
  // is away, only this check finds the commits of other hubs.
  it('finds the commit of another hub behind 6,000 changed channels while a transaction stays open', async () => {
    const alice = { agentId: 'alice', isAdmin: false };
    const channelId = 'room';
    const created = methods['channel.create'].params.parse({ channelId, name: 'Room' });
    await theirs.append(alice, 'channel.create', created);
    const room = { head: 1, raise: (head: number) => void (room.head = head) };
    const metrics = createMetrics();
    const lag = async () => (await metrics.storeHorizonLag.get()).values[0]?.value ?? -1;
    expect(await lag()).toBe(0);
    const check = await startTailCheck({
      store: mine,
      metrics,
      log: pino({ level: 'silent' }),
      rooms: {
        get: (id: string) => (id === channelId ? room : undefined),
        channelIds: () => [channelId],
      } as unknown as Rooms,
      isBusAvailable: () => false,
      onRevoked: () => undefined,
      onDirect: () => undefined,
      onFreezes: async () => undefined,
      onEpoch: async (epoch) => expect(epoch).toBe('unchanged'),
    });
    const endForeign = await holdLocks(server, 'select pg_current_xact_id()');
    try {
      for (let i = 0; i < 6000; i += 100) {
        const crowd = Array.from({ length: 100 }, (_, n) =>
          methods['channel.create'].params.parse({ channelId: `crowd-${i + n}`, name: 'Crowd' }),
        );
        const outcomes = await Promise.all(
          crowd.map((params) => theirs.append(alice, 'channel.create', params)),
        );
        expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
      }
      const sent = methods['message.send'].params.parse({ channelId, content: 'behind them all' });
      expect(await theirs.append(alice, 'message.send', sent)).toMatchObject({ ok: true });
      await waitFor(() => room.head === 2, { what: 'the message' });
      await waitFor(async () => (await lag()) > 0, { what: 'the lag' });
      endForeign();
      await waitFor(async () => (await lag()) === 0, { what: 'the end of the lag' });
    } finally {
      await check.close();
    }
  });
});

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { limits, type ChannelEvent } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { createSessionBench, fallBehind, type SessionBench } from '../testing/session-bench.ts';
import { range, seqsOf } from '../testing/seqs.ts';

const channelId = 'c';

const typing = (
  agentId: string,
  isTyping: boolean,
  threadId: string | null = null,
): ChannelEvent => ({
  type: 'channel.typing',
  channelId,
  agentId,
  typing: isTyping,
  threadId,
});

const presence = (statuses: Readonly<Record<string, 'online' | 'away' | 'offline'>>) => {
  const plain = { customStatus: null, avatar: null, lastSeen: 1 };
  const presences = Object.entries(statuses).map(([agentId, status]) => ({
    agentId,
    status,
    ...plain,
  }));
  return { type: 'channel.presence', channelId, presences } satisfies ChannelEvent;
};

function signals({ peer }: SessionBench): string[] {
  return peer.objects
    .filter(({ method }) => method === 'event')
    .map(({ params }) => params.event)
    .flatMap((event) => {
      if (event.type === 'channel.typing') {
        const where = event.threadId === null ? '' : ` in ${event.threadId}`;
        return [`${event.agentId} ${event.typing ? 'types' : 'stops'}${where}`];
      }
      if (event.type !== 'channel.presence') return [];
      return event.presences.map(
        ({ agentId, status }: { agentId: string; status: string }) => `${agentId} ${status}`,
      );
    });
}

async function readOn(bench: SessionBench): Promise<void> {
  bench.peer.read();
  await waitFor(() => !bench.session.isLagging, { what: 'the end of lagging' });
}

async function lagging(): Promise<SessionBench & { readonly last: number }> {
  const bench = createSessionBench();
  bench.session.enter(bench.room);
  return { ...bench, last: await fallBehind(bench) };
}

describe('typing and presence of a socket that reads too slowly', () => {
  it('come after the pending events of the log, only the latest of each agent', async () => {
    const bench = await lagging();
    for (let round = 0; round < 50; round++) {
      bench.broadcast(typing('ana', true));
      bench.broadcast(presence({ ana: 'online', cem: round % 2 === 0 ? 'away' : 'online' }));
      bench.broadcast(typing('ana', false));
      bench.broadcast(presence({ ana: 'offline' }));
      await bench.turn();
    }
    const last = bench.publish(1);
    await bench.turn();
    await readOn(bench);
    expect(signals(bench)).toEqual(['cem online', 'ana stops', 'ana offline']);
    const { objects } = bench.peer;
    const types = objects.map(({ params }) => params.event.type as string);
    expect(types.slice(-3)).toEqual(['channel.presence', 'channel.typing', 'channel.presence']);
    expect(seqsOf(objects.map(({ params }) => params))).toEqual(range(1, last));
  });

  // An agent types in the channel and in a thread; neither signal may replace the other.
  it('include the latest typing of each agent and thread', async () => {
    const bench = await lagging();
    for (let round = 0; round < 3; round++) {
      bench.broadcast(typing('ana', true, 't1'));
      bench.broadcast(typing('ana', true));
      bench.broadcast(typing('cem', true, 't1'));
      bench.broadcast(typing('ana', false, 't1'));
      await bench.turn();
    }
    await readOn(bench);
    expect(signals(bench)).toEqual(['ana types', 'cem types in t1', 'ana stops in t1']);
  });

  // The race: the start was sent, and the stop arrived while the socket lagged.
  it('include the stop of a typing indicator that it was sent before', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    bench.broadcast(typing('ana', true));
    await bench.turn();
    await fallBehind(bench);
    bench.broadcast(typing('ana', false));
    await bench.turn();
    await readOn(bench);
    expect(signals(bench)).toEqual(['ana types', 'ana stops']);
  });

  // The race: more signals arrive while the socket catches up.
  it('are never followed by older ones', async () => {
    const bench = await lagging();
    bench.broadcast(typing('ana', true));
    await bench.turn();
    bench.peer.read();
    bench.broadcast(typing('ana', false));
    await waitFor(() => signals(bench).at(-1) === 'ana stops', { what: 'the stop' });
    bench.broadcast(typing('ana', true));
    await waitFor(() => signals(bench).at(-1) === 'ana types', { what: 'the next start' });
  });

  it('wait while events of the channel are pending for a socket that does not lag', async () => {
    const bench = createSessionBench();
    bench.publish(2_000);
    await bench.turn();
    const asked = Promise.withResolvers<void>();
    bench.onNextPage(async (page) => {
      await asked.promise;
      return page();
    });
    bench.session.enter(bench.room, 0);
    await bench.turn();
    bench.broadcast(typing('ana', true));
    await bench.turn();
    expect(signals(bench)).toEqual([]);
    asked.resolve();
    await waitFor(() => signals(bench).length > 0, { what: 'the start' });
    const seqs = bench.peer.objects.map(({ params }) => params.seq as number | null);
    expect(seqs).toEqual([...range(1, 2_000), null]);
  });

  it('are sent after a discontinuity too', async () => {
    const bench = await lagging();
    bench.broadcast(presence({ ana: 'away' }));
    bench.publish(limits.resumeEvents + 1);
    await bench.turn();
    await readOn(bench);
    expect(bench.peer.objects.at(-2)).toMatchObject({ method: 'discontinuity' });
    expect(signals(bench)).toEqual(['ana away']);
  });

  it('of a channel that it left are not sent', async () => {
    const bench = await lagging();
    bench.broadcast(typing('ana', true));
    await bench.turn();
    bench.session.leave(channelId);
    await readOn(bench);
    expect(signals(bench)).toEqual([]);
  });

  it('of too many agents close it, with a hint when to reconnect', async () => {
    const bench = await lagging();
    for (let n = 0; n < 10_000; n++) bench.broadcast(typing(`a${n}`, true));
    await bench.turn();
    expect(bench.peer.closed).toBeNull();
    for (let n = 0; n < 10_000; n++) bench.broadcast(typing(`a${n}`, false));
    await bench.turn();
    expect(bench.peer.closed).toBeNull();
    bench.broadcast(typing('one-more', true));
    await bench.turn();
    expect(bench.peer.closed).toEqual({ code: 4429, reason: '{"afterMs":1000}' });
  });

  it('and other best-effort frames are dropped while it lags', async () => {
    const bench = await lagging();
    const notice = Buffer.from([0x81, 2, 0x7b, 0x7d]);
    bench.session.sendBestEffort(notice);
    await readOn(bench);
    bench.session.sendBestEffort(notice);
    await waitFor(() => JSON.stringify(bench.peer.objects.at(-1)) === '{}', { what: 'the notice' });
    expect(bench.peer.objects.filter((object) => Object.keys(object).length === 0)).toHaveLength(1);
  });
});

describe('a socket whose peer stopped reading', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is closed with a hint after half a minute, and destroyed if it does not answer the close', async () => {
    const bench = createSessionBench();
    bench.session.enter(bench.room);
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    await fallBehind(bench);
    await jest.advanceTimersByTimeAsync(29_000);
    expect([bench.peer.closed, bench.peer.isCut]).toEqual([null, false]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(bench.peer.closed).toEqual({ code: 4429, reason: '{"afterMs":1000}' });
    expect([bench.peer.isRead, bench.peer.isCut]).toEqual([true, false]);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(bench.peer.isCut).toBe(true);
  });
});

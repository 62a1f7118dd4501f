import { expect, it, jest } from '@jest/globals';
import type { OperationsMinute } from '@openclaw/chat-store';
import type { Operations } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { parseFigures } from './figures.ts';
import { startOperationsHistory } from './operations-history.ts';

/** The hub sends ten messages between two snapshots. Its database is away while `state.isAway` is true. */
function createHub() {
  let timestamp = 0;
  const written: OperationsMinute[] = [];
  const state = { isAway: false };
  const counters = { messages: 0 } as Operations['counters'];
  const snapshot = (): Promise<Operations> => {
    timestamp += 25;
    for (const name of [
      'deliveries',
      'calls',
      'failedCalls',
      'refusedCalls',
      'publishFailures',
      'tailRepairs',
      'laggingSockets',
      'badFrames',
      'refusedConnections',
      'closedConnections',
    ] as const)
      counters[name] = 0;
    counters.messages += 10;
    return Promise.resolve({
      ...{ timestamp, counters: { ...counters }, sockets: 1, agents: 1, rooms: 1, laggingNow: 0 },
      latency: { ackMs: { p50: 1, p90: 2, p99: 3 }, deliveryMs: null },
      database: { status: state.isAway ? 'down' : 'ok', queueLength: 0 },
      redis: { status: 'in_use', reconnects: 0 },
      publishPath: { status: 'ok' },
    } as Operations);
  };
  const store = {
    recordMinutes: jest.fn(async (minutes: readonly OperationsMinute[]) => {
      if (state.isAway) throw new Error('the database is away');
      written.push(...minutes);
    }),
    readMinutes: async () => ({ minutes: [], nextMs: null }),
  };
  const history = startOperationsHistory({
    ...{ operations: { snapshot }, store, hubId: 'hub-1', minuteMs: 100 },
    log: { debug: () => undefined },
  });
  return { written, state, store, history };
}

// The reported failure: the minutes of an outage were never written, so no page showed what happened.
it('the minutes of an outage of the database are written after it', async () => {
  const { written, state, store, history } = createHub();
  await waitFor(() => written.length >= 2, { what: 'the first minutes' });
  state.isAway = true;
  const tried = store.recordMinutes.mock.calls.length;
  await waitFor(() => store.recordMinutes.mock.calls.length >= tried + 4, {
    what: 'failed writes',
  });
  state.isAway = false;
  await history.close();
  const figures = written.map((minute) => parseFigures(minute.figures));
  expect(figures.map((one) => one?.database)).toContain('down');
  const times = written.map(({ atMs }) => atMs);
  expect(times).toEqual(times.map((_, n) => n * 100));
  const whole = figures.slice(1, -1);
  expect(whole.map((one) => [one?.messages, one?.ms])).toEqual(whole.map(() => [40, 100]));
});

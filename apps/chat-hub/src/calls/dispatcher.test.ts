import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { createUnsentBudget } from '../sockets/unsent-budget.ts';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { createSessionBench, fallBehind } from '../testing/session-bench.ts';
import type { Handlers } from './answer.ts';
import { createDispatcher } from './dispatcher.ts';

describe('calls of a socket that does not read', () => {
  // The fault: read.state answers up to 2.5 MiB, and was the one such method that did not count as bulky: the calls that a
  // socket had under way when it fell behind were all answered. Invariant: unsent output has a budget.
  it.each(['read.state', 'channel.list'] as const)(
    '%s is not made before it has read on',
    async (method) => {
      const unsent = createUnsentBudget();
      const bench = createSessionBench({ unsent });
      bench.session.enter(bench.room);
      await fallBehind(bench);
      let made = 0;
      const answerOne = () => {
        made += 1;
        return { ok: true as const, resultBytes: [Buffer.from('{}')] };
      };
      const dispatcher = createDispatcher({
        handlers: { [method]: answerOne } as unknown as Handlers,
        limiter: { consume: () => ({ allowed: true }) as never },
        calls: { count: () => null },
        onLimited: () => undefined,
        observe: () => undefined,
        ...{ unsent, slices: createTimeSlicedQueue(), log: pino({ level: 'silent' }) },
      });
      for (let id = 1; id <= 20; id++) {
        const call = { jsonrpc: '2.0', id, method, params: {} };
        dispatcher.dispatch(bench.session, Buffer.from(JSON.stringify(call)));
      }
      await bench.turn();
      expect(made).toBe(0);
      bench.peer.read();
      await waitFor(() => made === 20, { what: 'the answers' });
    },
  );

  // The fault: all calls that were refused for lack of room were told the same second, and came back together.
  it('are refused each with a time of its own when there is no room', async () => {
    const randoms = [0, 0.5, 0.999];
    const unsent = createUnsentBudget({ agentBytes: 100, random: () => randoms.shift() ?? 0 });
    unsent.open('ben').settle(100);
    const bench = createSessionBench();
    const dispatcher = createDispatcher({
      handlers: {} as Handlers,
      limiter: { consume: () => ({ allowed: true }) as never },
      calls: { count: () => null },
      onLimited: () => undefined,
      observe: () => undefined,
      ...{ unsent, slices: createTimeSlicedQueue(), log: pino({ level: 'silent' }) },
    });
    for (let id = 1; id <= 3; id++) {
      const params = { topics: [{ channelId: 'c', since: 0 }] };
      const call = { jsonrpc: '2.0', id, method: 'subscribe', params };
      dispatcher.dispatch(bench.session, Buffer.from(JSON.stringify(call)));
    }
    const answers = await waitFor(() => {
      bench.session.flush();
      return bench.peer.objects.length === 3 && bench.peer.objects;
    });
    expect(answers.map(({ error }) => error.data)).toEqual(
      [1_000, 1_500, 1_999].map((retryAfterMs) => ({ code: 'rate_limited', retryAfterMs })),
    );
  });
});

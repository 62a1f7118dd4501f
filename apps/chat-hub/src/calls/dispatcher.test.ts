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
});

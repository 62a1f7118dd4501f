import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { pino } from 'pino';
import { createUnsentBudget } from '../sockets/unsent-budget.ts';
import { createTimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import { createSessionBench, fallBehind } from '../testing/session-bench.ts';
import { createCallOrder } from './call-order.ts';
import { createDispatcher } from './dispatcher.ts';
import type { Handlers } from './handler.ts';
import { createInvoke, type Call } from './invoke.ts';

function createBench(handlers: object, isAllowed = true, unsent = createUnsentBudget()) {
  const bench = createSessionBench({ unsent });
  const counted: string[] = [];
  const observe = (method: string, transport: string, outcome: string) =>
    void counted.push(`${transport} ${method} ${outcome}`);
  const onLimited = () => undefined;
  const invoke = createInvoke({
    handlers: handlers as unknown as Handlers,
    limiter: { consume: () => ({ allowed: isAllowed, limit: 1 }) as never },
    onLimited,
    observe,
    unsent,
    slices: createTimeSlicedQueue(),
    logWaits: { run: (_wait, respond) => respond('read') },
    inboxWaits: { run: (_wait, respond) => respond('read') },
    log: pino({ level: 'silent' }),
  });
  const allowance = { count: () => null };
  const dispatcher = createDispatcher({ invoke, allowance, onLimited, observe, unsent });
  const { identity } = bench.session;
  return {
    ...bench,
    counted,
    dispatch: (value: unknown) =>
      dispatcher.dispatch(bench.session, Buffer.from(JSON.stringify(value))),
    ws: (method: string, params: object, respond: Call['respond']) =>
      invoke({
        caller: { identity, transport: 'ws', session: bench.session, order: createCallOrder() },
        method,
        params,
        overAllowanceMs: null,
        respond,
      }),
    rest: (method: string, params: object, rest: Partial<Call> = {}) =>
      invoke({
        caller: { identity, transport: 'rest', session: null },
        method,
        params,
        overAllowanceMs: null,
        respond: null,
        ...rest,
      }),
  };
}

describe('calls of a socket that does not read', () => {
  // The fault: `read.state` answers up to 2.5 MiB but was not marked `bulky`. The hub therefore answered all calls of a
  // socket that had stopped reading. Invariant: unsent output has a budget.
  it.each(['read.state', 'channel.list'] as const)(
    '%s is not made before it reads again',
    async (method) => {
      let made = 0;
      const answerOne = () => {
        made += 1;
        return { ok: true as const, resultBytes: [Buffer.from('{}')] };
      };
      const bench = createBench({ [method]: answerOne });
      bench.session.enter(bench.room);
      await fallBehind(bench);
      for (let id = 1; id <= 20; id++) bench.dispatch({ jsonrpc: '2.0', id, method, params: {} });
      await bench.turn();
      expect(made).toBe(0);
      bench.peer.read();
      await waitFor(() => made === 20, { what: 'the answers' });
    },
  );

  // The fault: a `superseded` reply holds up to 256 KiB, but no send was marked `bulky`. One agent with 600 sends a
  // minute used 150 MiB. Invariant: unsent output has a budget, and a plain send does not depend on it.
  it.each([
    ['message.send', { channelId: 'c' }],
    ['direct.send', { agentId: 'eve' }],
  ] as const)('%s with basedOn is refused when there is no room', async (method, to) => {
    const unsent = createUnsentBudget({ agentBytes: 100 });
    unsent.open('ben').settle(100);
    const made: object[] = [];
    const send = (_caller: unknown, params: object) => {
      made.push(params);
      return { ok: true as const, result: {} };
    };
    const bench = createBench({ [method]: send }, true, unsent);
    const answers: object[] = [];
    for (const basedOn of [1, null]) {
      await bench.ws(method, { ...to, content: 'x', basedOn }, (reply) => void answers.push(reply));
    }
    expect(answers).toMatchObject([{ code: 'rate_limited' }, { ok: true }]);
    expect(made).toMatchObject([{ basedOn: null }]);
  });

  // The fault: all calls that were refused because the budget was full got the same retry time, so they retried
  // together.
  it('are refused, each with a different retry time, when there is no room', async () => {
    const randoms = [0, 0.5, 0.999];
    const unsent = createUnsentBudget({ agentBytes: 100, random: () => randoms.shift() ?? 0 });
    unsent.open('ben').settle(100);
    const bench = createBench({}, true, unsent);
    const answers: object[] = [];
    for (let id = 1; id <= 3; id++) {
      await bench.ws('subscribe', { topics: [{ channelId: 'c', since: 0 }] }, (reply) => {
        answers.push(reply);
      });
    }
    expect(answers).toMatchObject(
      [1_000, 1_500, 1_999].map((retryAfterMs) => ({ code: 'rate_limited', retryAfterMs })),
    );
  });
});

describe('every call is counted once, by method, transport and outcome', () => {
  const handlers = {
    ping: () => ({ ok: true, result: { timestamp: 1 } }),
    'channel.get': () => ({ ok: false, code: 'not_found', message: 'there is no such channel' }),
    'read.state': () => Promise.reject(new Error('broken')),
  };
  const outcomes = [
    ['ping', {}, 'ping ok'],
    ['ping', { unknown: 1 }, 'ping invalid_params'],
    ['channel.get', { channelId: 'c' }, 'channel.get not_found'],
    ['read.state', {}, 'read.state internal'],
    ['no.such', {}, 'unknown method_not_found'],
    // Invariant: a name that the peer chose never becomes a label of a metric.
    ['toString', {}, 'unknown method_not_found'],
  ] as const;

  it.each(outcomes)('over WebSocket: %s %j is %s', async (method, params, outcome) => {
    const { dispatch, counted } = createBench(handlers);
    dispatch({ jsonrpc: '2.0', id: 1, method, params });
    // A call without id is counted, although it gets no answer.
    dispatch({ jsonrpc: '2.0', method, params });
    await waitFor(() => counted.length === 2);
    expect(counted).toEqual([`ws ${outcome}`, `ws ${outcome}`]);
  });

  it.each(outcomes)('over REST: %s %j is %s', async (method, params, outcome) => {
    const { rest, counted } = createBench(handlers);
    await rest(method, params);
    expect(counted).toEqual([`rest ${outcome}`]);
  });

  it('refused by the rate limit or the allowance, or because there is no socket', async () => {
    const limited = createBench(handlers, false);
    await limited.rest('ping', {});
    const { rest, counted } = createBench(handlers);
    await rest('ping', {}, { overAllowanceMs: 5 });
    await rest('presence.set', { status: 'away' });
    expect([...limited.counted, ...counted]).toEqual([
      'rest ping rate_limited',
      'rest ping rate_limited',
      'rest presence.set unsupported',
    ]);
  });

  it('that fails before its handler, and never rejects even if no reply can be taken', async () => {
    const { rest, counted } = createBench(handlers);
    const replies: object[] = [];
    const onLimit = () => {
      throw new Error('the check is broken');
    };
    await rest('ping', {}, { onLimit, respond: (reply) => void replies.push(reply) });
    expect(replies).toMatchObject([{ ok: false, code: 'internal' }]);
    let tries = 0;
    const respond = () => {
      tries += 1;
      throw new Error('the reply is not taken');
    };
    await rest('ping', {}, { respond });
    expect(tries).toBe(2);
    expect(counted).toEqual(['rest ping internal', 'rest ping ok']);
  });

  it('unreadable, as a single call and in a batch', async () => {
    const { dispatch, counted } = createBench(handlers);
    dispatch({ method: 'ping' });
    dispatch([]);
    dispatch([1, { jsonrpc: '2.0', id: 1, method: 'ping' }]);
    await waitFor(() => counted.length === 4);
    expect(counted).toEqual([
      'ws unknown invalid_request',
      'ws unknown invalid_request',
      'ws unknown invalid_request',
      'ws ping ok',
    ]);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import { type RedisClient, RedisClientError, type ScriptCall } from '@openclaw/redis-client';
import { expectTrueWindow } from './limiter.contract.ts';
import { createLocalRateLimiter, type LocalRateLimiter } from './local-limiter.ts';
import type { LocalRateLimiterOptions } from './options.ts';

const minute = { limit: 10, windowMs: 60_000 };
const startMs = 1_700_000_000_000;

function fakeRedis() {
  const sent: (readonly ScriptCall[])[] = [];
  const state = {
    available: true,
    sent,
    answer: (_calls: readonly ScriptCall[]): Promise<unknown[]> =>
      Promise.reject(new RedisClientError('unavailable', 'nobody answers')),
    pipeline(calls: readonly ScriptCall[]) {
      sent.push(calls);
      return state.answer(calls);
    },
  };
  return state;
}

const open: LocalRateLimiter[] = [];
function setUp(options: Partial<LocalRateLimiterOptions<'message'>> = {}) {
  const clock = { nowMs: startMs };
  const fake = fakeRedis();
  const limiter = createLocalRateLimiter(
    { redis: fake as unknown as RedisClient, keys: createKeySchema() },
    { limits: { message: minute }, clock: () => clock.nowMs, ...options },
  );
  open.push(limiter);
  const consume = (times = 1, agentId = 'alice') =>
    Array.from({ length: times }, () => limiter.consume('message', agentId));
  return { clock, fake, limiter, consume };
}
/** Leaves out the first four arguments, which are the same in every call. */
const countsOf = (calls: readonly ScriptCall[] | undefined) =>
  calls?.map(({ args }) => args.slice(4));
const allowedOf = (decisions: { allowed: boolean }[]) =>
  decisions.filter(({ allowed }) => allowed).length;

beforeEach(() => void jest.useFakeTimers());
afterEach(async () => {
  await Promise.all(open.splice(0).map((limiter) => limiter.close()));
  jest.useRealTimers();
});

describe('a local limiter alone', () => {
  it('never exceeds the limit in any interval, compared with an exact model', async () => {
    await expectTrueWindow(300, (clock, limit) => {
      const limiter = createLocalRateLimiter(
        {},
        { limits: { message: limit }, clock: () => clock.nowMs },
      );
      open.push(limiter);
      return () => limiter.consume('message', 'alice');
    });
  });

  it('never exceeds the limit while exchanges fail, whether they may have arrived or not', async () => {
    let fails = 0;
    await expectTrueWindow(150, (clock, limit) => {
      const fake = fakeRedis();
      fake.answer = (calls) => {
        fails += 1;
        const lost = new RedisClientError('timeout', 'no answer');
        return fails % 2 === 0 ? Promise.reject(lost) : Promise.resolve(calls.map(() => lost));
      };
      const limiter = createLocalRateLimiter(
        { redis: fake as unknown as RedisClient, keys: createKeySchema() },
        { limits: { message: limit }, clock: () => clock.nowMs },
      );
      open.push(limiter);
      return async () => {
        const decision = limiter.consume('message', 'alice');
        await limiter.exchange();
        return decision;
      };
    });
  });

  it('is degraded while Redis is away, and not without Redis', () => {
    const { fake, consume } = setUp();
    expect(consume()[0]?.degraded).toBe(false);
    fake.available = false;
    expect(consume()[0]?.degraded).toBe(true);
    const alone = createLocalRateLimiter({}, { limits: { message: { limit: 1, windowMs: 1000 } } });
    expect(alone.consume('message', 'alice')).toMatchObject({ degraded: false });
    void alone.close();
  });

  it('frees the memory of idle agents by itself', () => {
    const { clock, limiter, consume } = setUp();
    for (let i = 0; i < 500; i += 1) consume(1, `agent-${i}`);
    expect(limiter.stats.agents).toBe(500);
    clock.nowMs += 70_000;
    jest.advanceTimersByTime(100);
    expect(limiter.stats.agents).toBe(0);
  });

  it('remembers at most maxAgents', () => {
    const { limiter, consume } = setUp({ maxAgents: 50 });
    for (let i = 0; i < 500; i += 1) consume(1, `agent-${i}`);
    expect(limiter.stats.agents).toBe(50);
  });

  it('throws for an action without a limit and for an agentId that could name another key', () => {
    const { limiter } = setUp();
    expect(() => limiter.consume('typing' as 'message', 'alice')).toThrow(
      expect.objectContaining({ code: 'unknown_action' }),
    );
    expect(() => limiter.consume('message', 'alice:window')).toThrow(
      expect.objectContaining({ code: 'invalid_agent' }),
    );
  });
});

describe('the cost of a call', () => {
  it('is counted at once and exchanged', async () => {
    const { fake, limiter } = setUp();
    const consume = (cost: number) => limiter.consume('message', 'alice', cost);
    expect(consume(7)).toMatchObject({ allowed: true, remaining: 3 });
    expect(consume(4)).toMatchObject({ allowed: false, remaining: 3, retryAfterMs: 60_000 });
    // A refused call does not block a cheaper one.
    expect(consume(3)).toMatchObject({ allowed: true, remaining: 0 });
    await limiter.exchange();
    expect(countsOf(fake.sent[0])).toEqual([[0, 10]]);
    for (const cost of [0, 11, 0.5, NaN]) {
      expect(() => consume(cost)).toThrow(expect.objectContaining({ code: 'invalid_cost' }));
    }
  });
});

describe('the exchange', () => {
  const reply = (count: number, packed: string, blockedMs = 0) => [
    1,
    count,
    Number(packed.split(' ')[0]),
    packed,
    blockedMs,
  ];

  it('runs every 100 ms, in one pipeline with one call per agent that made requests', async () => {
    const { fake, limiter, consume } = setUp();
    fake.answer = (calls) => Promise.resolve(calls.map(() => reply(1, '61000 1')));
    await jest.advanceTimersByTimeAsync(100);
    expect(fake.sent).toHaveLength(0);
    consume(3, 'alice');
    consume(2, 'bob');
    await jest.advanceTimersByTimeAsync(99);
    expect(fake.sent).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(fake.sent).toHaveLength(1);
    expect(countsOf(fake.sent[0])).toEqual([
      [0, 3],
      [0, 2],
    ]);
    await jest.advanceTimersByTimeAsync(1000);
    expect(fake.sent).toHaveLength(1);
    expect(limiter.stats).toMatchObject({
      exchanges: 1,
      exchangeFailures: 0,
      allowed: 5,
      refused: 0,
      waiting: 0,
    });
  });

  it('carries at most maxPerExchange agents; the others go with the next', async () => {
    const { fake, limiter, consume } = setUp({ maxPerExchange: 2 });
    fake.answer = (calls) => Promise.resolve(calls.map(() => reply(1, '61000 1')));
    for (const agentId of ['a', 'b', 'c', 'd', 'e']) consume(1, agentId);
    await limiter.exchange();
    expect(limiter.stats.waiting).toBe(3);
    await limiter.exchange();
    await limiter.exchange();
    expect(fake.sent.map((calls) => calls.length)).toEqual([2, 2, 1]);
  });

  it('adds the counts of other processes to its own, and drops them when they leave the window', async () => {
    const { clock, fake, limiter, consume } = setUp();
    fake.answer = async () => [reply(8, '5000 6 61000 2')];
    consume();
    await limiter.exchange();
    const decisions = consume(3);
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false]);
    expect(decisions[2]?.retryAfterMs).toBe(5000);
    clock.nowMs += 5000;
    expect(allowedOf(consume(10))).toBe(6);
  });

  it('does not refuse a request because of a count that has left the window', async () => {
    const { clock, fake, limiter, consume } = setUp();
    fake.answer = async () => [reply(10, '2000 10')];
    consume();
    await limiter.exchange();
    expect(consume()[0]?.allowed).toBe(false);
    clock.nowMs += 30_000;
    expect(consume()[0]).toMatchObject({ allowed: true, remaining: 9 });
  });

  it('starts from zero when the counter in Redis was reset', async () => {
    const { fake, limiter, consume } = setUp();
    fake.answer = async () => [reply(10, '61000 10')];
    expect(allowedOf(consume(11))).toBe(10);
    await limiter.exchange();
    expect(consume()[0]?.allowed).toBe(false);
    fake.answer = async () => [[1, 0, 0, '', 0]];
    await limiter.exchange();
    expect(allowedOf(consume(11))).toBe(10);
  });

  it('sends requests again that were not sent, if they are still in the window', async () => {
    const { clock, fake, limiter, consume } = setUp();
    consume(4);
    await limiter.exchange();
    clock.nowMs += 50_000;
    consume(3);
    await limiter.exchange();
    clock.nowMs += 20_000;
    fake.answer = async () => [reply(3, '41000 3')];
    await limiter.exchange();
    expect(fake.sent.map(countsOf)).toEqual([[[0, 4]], [[50_000, 4, 0, 3]], [[20_000, 3]]]);
  });

  it('does not send requests again that may have arrived, but still counts them', async () => {
    const { fake, limiter, consume } = setUp();
    fake.answer = async () => [new RedisClientError('timeout', 'no answer')];
    consume(8);
    await limiter.exchange();
    expect(allowedOf(consume(5))).toBe(2);
    await limiter.exchange();
    expect(fake.sent.map(countsOf)).toEqual([[[0, 8]], [[0, 2]]]);
    expect(limiter.stats).toMatchObject({ exchanges: 0, exchangeFailures: 2, waiting: 1 });
  });

  it('counts requests that come during an exchange', async () => {
    const { fake, limiter, consume } = setUp();
    let answer = (_: unknown[]) => {};
    fake.answer = () => new Promise((resolve) => (answer = resolve));
    consume(4);
    const running = limiter.exchange();
    expect(allowedOf(consume(7))).toBe(6);
    answer([reply(4, '61000 4')]);
    await running;
    expect(allowedOf(consume(1))).toBe(0);
    fake.answer = async () => [reply(10, '61000 10')];
    await limiter.exchange();
    expect(countsOf(fake.sent[1])).toEqual([[0, 6]]);
  });

  it('does not run while Redis is away, and sends the window at once when it is back', async () => {
    const { fake, limiter, consume } = setUp();
    fake.available = false;
    expect(allowedOf(consume(12))).toBe(10);
    await jest.advanceTimersByTimeAsync(500);
    expect(fake.sent).toHaveLength(0);
    fake.available = true;
    fake.answer = async () => [reply(10, '61000 10')];
    await limiter.exchange();
    expect(countsOf(fake.sent[0])).toEqual([[0, 10]]);
  });

  // An agent stays in memory while it waits for an exchange. Invariant: during an outage of Redis, such agents do not
  // accumulate.
  it('keeps no agent for an exchange whose requests have left the window', async () => {
    const { clock, fake, limiter, consume } = setUp();
    fake.available = false;
    for (const agentId of ['alice', 'bob', 'alice', 'bob', 'alice']) {
      consume(1, agentId);
      expect(limiter.stats).toMatchObject({ agents: 1, waiting: 1 });
      clock.nowMs += 2 * minute.windowMs;
      await jest.advanceTimersByTimeAsync(100);
    }
    expect(limiter.stats).toMatchObject({ agents: 0, waiting: 0 });
  });

  it('keeps no agent for an exchange that was dropped during the last one', async () => {
    const { fake, limiter, consume } = setUp({ maxAgents: 1 });
    const answer = Promise.withResolvers<unknown[]>();
    fake.answer = () => answer.promise;
    consume(1, 'alice');
    const running = limiter.exchange();
    consume(1, 'bob');
    answer.reject(new RedisClientError('timeout', 'no answer'));
    await running;
    expect(limiter.stats).toMatchObject({ agents: 1, waiting: 1 });
  });

  it('refuses an agent that another process blocked, until the block ends or is ended', async () => {
    const { clock, fake, limiter, consume } = setUp();
    fake.answer = async () => [reply(1, '60000 1', 90_000)];
    consume();
    await limiter.exchange();
    expect(consume()[0]).toMatchObject({ allowed: false, retryAfterMs: 90_000 });
    clock.nowMs += 89_999;
    expect(consume()[0]).toMatchObject({ allowed: false, retryAfterMs: 1 });
    clock.nowMs += 1;
    expect(consume()[0]).toMatchObject({ allowed: true });
    await limiter.exchange();
    expect(consume()[0]).toMatchObject({ allowed: false });
    fake.answer = async () => [reply(1, '60000 1')];
    await limiter.exchange();
    expect(consume()[0]).toMatchObject({ allowed: true });
  });

  it('runs once more at close', async () => {
    const { fake, limiter, consume } = setUp();
    fake.answer = async () => [reply(2, '61000 2')];
    consume(2);
    await limiter.close();
    expect(countsOf(fake.sent[0])).toEqual([[0, 2]]);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Decision, sliceMsOf } from './limit.ts';
import type { RateLimiter } from './exact-limiter.ts';
import type { RateLimiterOptions } from './options.ts';

export interface FakeClock {
  nowMs: number;
}

export type Consume = () => Decision | Promise<Decision>;

/**
 * Compares a limiter with an exact model, the list of all allowed requests. At most `limit` of them may be in any
 * `windowMs`. A refusal is right if `limit` requests were allowed within `windowMs` plus one slice.
 */
export async function expectTrueWindow(
  runs: number,
  fresh: (clock: FakeClock, limit: { limit: number; windowMs: number }) => Consume,
): Promise<void> {
  const windowMs = 600;
  const limits = fc.integer({ min: 1, max: 12 });
  const pauses = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 30 }),
    fc.integer({ min: windowMs - 20, max: windowMs + 20 }),
    fc.integer({ min: 0, max: 2 * windowMs }),
  );
  await fc.assert(
    fc.asyncProperty(
      limits,
      fc.integer({ min: 0, max: 5000 }),
      fc.array(pauses, { maxLength: 80 }),
      async (limit, startMs, arrivals) => {
        const clock = { nowMs: 1_700_000_000_000 + startMs };
        const consume = fresh(clock, { limit, windowMs });
        const sliceMs = sliceMsOf({ limit, windowMs });
        const allowedAtMs: number[] = [];
        const allowedSince = (ms: number) =>
          allowedAtMs.filter((at) => at > clock.nowMs - ms).length;
        for (const pauseMs of arrivals) {
          clock.nowMs += pauseMs;
          const { allowed, remaining, retryAfterMs } = await consume();
          if (allowed) {
            allowedAtMs.push(clock.nowMs);
            expect(allowedSince(windowMs)).toBeLessThanOrEqual(limit);
            expect(remaining).toBeLessThanOrEqual(limit - allowedSince(windowMs));
          } else {
            expect(allowedSince(windowMs + sliceMs)).toBeGreaterThanOrEqual(limit);
            expect(remaining).toBe(0);
            expect(retryAfterMs).toBeGreaterThan(0);
            expect(retryAfterMs).toBeLessThanOrEqual(windowMs);
          }
        }
      },
    ),
    { numRuns: runs },
  );
}

export function describeRateLimiter(
  create: (options: RateLimiterOptions<'message' | 'typing'>) => RateLimiter<'message' | 'typing'>,
  { propertyRuns }: { readonly propertyRuns: number },
): void {
  const startMs = 1_700_000_000_000;
  const minute = { limit: 3, windowMs: 60_000 };
  const setUp = (limits = { message: minute, typing: { limit: 1, windowMs: 1000 } }) => {
    const clock = { nowMs: startMs };
    return { clock, limiter: create({ limits, clock: () => clock.nowMs }) };
  };

  describe('Rate limiting counters', () => {
    it('allows up to the limit and refuses the next with the time to wait', async () => {
      const { limiter } = setUp();
      const decisions = [];
      for (let i = 0; i < 4; i += 1) decisions.push(await limiter.consume('message', 'alice'));
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
      expect(decisions.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0]);
      expect(decisions[2]).toMatchObject({ limit: 3, resetMs: 60_000, retryAfterMs: 0 });
      expect(decisions[3]).toMatchObject({ limit: 3, resetMs: 60_000, retryAfterMs: 60_000 });
    });

    it('is not degraded', async () => {
      const { limiter } = setUp();
      expect(await limiter.consume('message', 'alice')).toMatchObject({ degraded: false });
    });

    it('counts agents and actions apart', async () => {
      const { limiter } = setUp();
      expect((await limiter.consume('typing', 'alice')).allowed).toBe(true);
      expect((await limiter.consume('typing', 'alice')).allowed).toBe(false);
      expect((await limiter.consume('typing', 'bob')).allowed).toBe(true);
      expect((await limiter.consume('message', 'alice')).allowed).toBe(true);
    });

    it('reads the count without counting, and does not count a refused request', async () => {
      const { limiter } = setUp();
      expect(await limiter.count('message', 'alice')).toBe(0);
      for (let i = 0; i < 5; i += 1) await limiter.consume('message', 'alice');
      expect(await limiter.count('message', 'alice')).toBe(3);
      expect(await limiter.count('message', 'alice')).toBe(3);
    });

    it('starts from zero after a reset', async () => {
      const { limiter } = setUp();
      for (let i = 0; i < 3; i += 1) await limiter.consume('message', 'alice');
      await limiter.reset('message', 'alice');
      expect(await limiter.count('message', 'alice')).toBe(0);
      expect(await limiter.consume('message', 'alice')).toMatchObject({
        allowed: true,
        remaining: 2,
      });
    });

    it('decides the same for a second identical call at the limit', async () => {
      const { limiter } = setUp();
      for (let i = 0; i < 3; i += 1) await limiter.consume('message', 'alice');
      const first = await limiter.consume('message', 'alice');
      expect(await limiter.consume('message', 'alice')).toEqual(first);
    });
  });

  describe('the window', () => {
    it('allows a request again exactly after retryAfterMs', async () => {
      const { limiter, clock } = setUp();
      for (let i = 0; i < 3; i += 1) await limiter.consume('message', 'alice');
      clock.nowMs += 17_345;
      const { retryAfterMs } = await limiter.consume('message', 'alice');
      clock.nowMs += retryAfterMs - 1;
      expect((await limiter.consume('message', 'alice')).allowed).toBe(false);
      clock.nowMs += 1;
      expect((await limiter.consume('message', 'alice')).allowed).toBe(true);
    });

    it('gives no second allowance at the boundary of a minute', async () => {
      const { limiter, clock } = setUp();
      clock.nowMs = Math.ceil(startMs / 60_000) * 60_000 - 1;
      for (let i = 0; i < 3; i += 1) await limiter.consume('message', 'alice');
      clock.nowMs += 2;
      expect((await limiter.consume('message', 'alice')).allowed).toBe(false);
    });

    it('slides: as many requests are allowed again as left the window', async () => {
      const { limiter, clock } = setUp();
      await limiter.consume('message', 'alice');
      clock.nowMs += 30_000;
      await limiter.consume('message', 'alice');
      await limiter.consume('message', 'alice');
      clock.nowMs += 31_000;
      expect((await limiter.consume('message', 'alice')).allowed).toBe(true);
      expect((await limiter.consume('message', 'alice')).allowed).toBe(false);
    });

    it('counts again after the clock was set back by more than a window', async () => {
      const { limiter, clock } = setUp();
      clock.nowMs += 3_600_000;
      for (let i = 0; i < 3; i += 1) await limiter.consume('message', 'alice');
      clock.nowMs -= 3_600_000;
      expect((await limiter.consume('message', 'alice')).allowed).toBe(true);
    });

    it('never exceeds the limit in any interval, compared with an exact model', async () => {
      let agents = 0;
      await expectTrueWindow(propertyRuns, (clock, limit) => {
        const limits = { message: limit, typing: limit };
        const limiter = create({ limits, clock: () => clock.nowMs });
        agents += 1;
        const agentId = `agent-${agents}`;
        return () => limiter.consume('message', agentId);
      });
    });
  });

  describe('cost, penalty and block', () => {
    it('counts a call as its cost, and refuses one that does not fit', async () => {
      const { limiter } = setUp();
      expect(await limiter.consume('message', 'alice', 2)).toMatchObject({ remaining: 1 });
      const large = await limiter.consume('message', 'alice', 2);
      expect(large).toMatchObject({ allowed: false, remaining: 1, retryAfterMs: 60_000 });
      expect(await limiter.count('message', 'alice')).toBe(2);
      expect(await limiter.consume('message', 'alice')).toMatchObject({ remaining: 0 });
    });

    it('waits only for as many requests as a call costs', async () => {
      const { limiter, clock } = setUp();
      for (let i = 0; i < 3; i += 1) {
        await limiter.consume('message', 'alice');
        clock.nowMs += 10_000;
      }
      const waits = [];
      for (const cost of [1, 2, 3]) {
        waits.push((await limiter.consume('message', 'alice', cost)).retryAfterMs);
      }
      expect(waits).toEqual([30_000, 40_000, 50_000]);
      clock.nowMs += 40_000;
      expect((await limiter.consume('message', 'alice', 2)).allowed).toBe(true);
    });

    it.each([0, -1, 1.5, NaN, 4, Infinity, '2'])('refuses the cost %p', async (cost) => {
      const { limiter } = setUp();
      const consumed = limiter.consume('message', 'alice', cost as number);
      await expect(consumed).rejects.toMatchObject({ code: 'invalid_cost' });
      expect(await limiter.count('message', 'alice')).toBe(0);
    });

    it('counts a penalty beyond the limit, and answers for the next request', async () => {
      const { limiter, clock } = setUp();
      expect(await limiter.penalty('message', 'alice', 1)).toMatchObject({
        allowed: true,
        remaining: 2,
        retryAfterMs: 0,
      });
      clock.nowMs += 20_000;
      expect(await limiter.penalty('message', 'alice', 5)).toMatchObject({
        allowed: false,
        remaining: 0,
        retryAfterMs: 60_000,
      });
      expect(await limiter.count('message', 'alice')).toBe(6);
      clock.nowMs += 59_999;
      expect((await limiter.consume('message', 'alice')).allowed).toBe(false);
      clock.nowMs += 1;
      expect((await limiter.consume('message', 'alice')).allowed).toBe(true);
      for (const requests of [0, 1.5, 2e9, NaN]) {
        await expect(limiter.penalty('message', 'alice', requests)).rejects.toMatchObject({
          code: 'invalid_cost',
        });
      }
    });

    it('refuses a blocked agent until the end of the block, which may be longer than the window', async () => {
      const { limiter, clock } = setUp();
      await limiter.consume('message', 'alice');
      expect(await limiter.block('message', 'alice', 300_000)).toEqual({ degraded: false });
      expect(await limiter.consume('message', 'alice')).toMatchObject({
        allowed: false,
        retryAfterMs: 300_000,
      });
      expect((await limiter.consume('typing', 'alice')).allowed).toBe(true);
      expect((await limiter.consume('message', 'bob')).allowed).toBe(true);
      clock.nowMs += 299_999;
      expect(await limiter.consume('message', 'alice')).toMatchObject({
        allowed: false,
        retryAfterMs: 1,
      });
      clock.nowMs += 1;
      expect(await limiter.consume('message', 'alice')).toMatchObject({
        allowed: true,
        remaining: 2,
      });
    });

    it('ends a block with a block of 0 ms, which keeps the count, and with a reset', async () => {
      const { limiter } = setUp();
      await limiter.consume('message', 'alice');
      await limiter.block('message', 'alice', 10_000);
      await limiter.block('message', 'alice', 0);
      expect(await limiter.consume('message', 'alice')).toMatchObject({
        allowed: true,
        remaining: 1,
      });
      await limiter.block('message', 'alice', 10_000);
      await limiter.reset('message', 'alice');
      expect(await limiter.consume('message', 'alice')).toMatchObject({
        allowed: true,
        remaining: 2,
      });
      for (const forMs of [-1, 0.5, NaN, 86_400_001]) {
        await expect(limiter.block('message', 'alice', forMs)).rejects.toMatchObject({
          code: 'invalid_block',
        });
      }
    });
  });

  describe('invalid arguments', () => {
    it('refuses an action without a limit', async () => {
      const { limiter } = setUp();
      const unknown = 'reaction' as 'message';
      await expect(limiter.consume(unknown, 'alice')).rejects.toMatchObject({
        code: 'unknown_action',
      });
      await expect(limiter.count(unknown, 'alice')).rejects.toMatchObject({
        code: 'unknown_action',
      });
      await expect(limiter.reset(unknown, 'alice')).rejects.toMatchObject({
        code: 'unknown_action',
      });
    });

    it('refuses an agentId that could name another key', async () => {
      const { limiter } = setUp();
      for (const agentId of ['alice:window', '', '{a}', undefined, 7] as string[]) {
        const invalid = { name: 'RateLimitError', code: 'invalid_agent' };
        await expect(limiter.consume('message', agentId)).rejects.toMatchObject(invalid);
        await expect(limiter.count('message', agentId)).rejects.toMatchObject(invalid);
        await expect(limiter.reset('message', agentId)).rejects.toMatchObject(invalid);
      }
    });

    it('refuses an invalid limit at creation', () => {
      for (const limit of [
        { limit: 0, windowMs: 1000 },
        { limit: 1, windowMs: 1 },
        { limit: NaN, windowMs: 1000 },
      ]) {
        expect(() => create({ limits: { message: limit, typing: minute } })).toThrow(
          expect.objectContaining({ code: 'invalid_options' }),
        );
      }
      expect(() => create({ limits: { message: minute, typing: minute }, maxAgents: 0 })).toThrow(
        'maxAgents',
      );
    });
  });
}

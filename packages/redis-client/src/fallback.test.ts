import { describe, expect, it } from '@jest/globals';
import { RedisClientError, withFallback } from './index.ts';

const up = { available: true };
const failing = (code: 'unavailable' | 'timeout' | 'rejected' | 'closed') => () =>
  Promise.reject(new RedisClientError(code, code));

describe('withFallback', () => {
  it('answers from Redis while it is available', async () => {
    expect(
      await withFallback(
        up,
        async () => 1,
        () => 2,
      ),
    ).toEqual({ value: 1, degraded: false });
  });

  it('answers from the fallback without asking Redis while it is not, and says so', async () => {
    const primary = failing('rejected');
    expect(await withFallback({ available: false }, primary, () => 2)).toEqual({
      value: 2,
      degraded: true,
    });
  });

  it.each(['unavailable', 'timeout'] as const)(
    'answers from the fallback when Redis fails by %s',
    async (code) => {
      expect(await withFallback(up, failing(code), async () => 2)).toEqual({
        value: 2,
        degraded: true,
      });
    },
  );

  it.each(['rejected', 'closed'] as const)(
    'throws a `%s` error, which is no outage',
    async (code) => {
      await expect(withFallback(up, failing(code), () => 2)).rejects.toMatchObject({ code });
    },
  );

  it("throws the caller's own errors", async () => {
    const bug = () => Promise.reject(new TypeError('a bug'));
    await expect(withFallback(up, bug, () => 2)).rejects.toThrow(TypeError);
  });
});

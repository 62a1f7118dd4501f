import { describe, expect, it } from '@jest/globals';
import { backoffMs } from './backoff.ts';

describe('backoffMs', () => {
  it('is anywhere between nothing and a bound that doubles with each failure up to the maximum', () => {
    const options = { backoffMinMs: 500, backoffMaxMs: 20_000 };
    const bounds = [0, 1, 2, 5, 6, 1000].map((failures) =>
      backoffMs(failures, { ...options, random: () => 0.999_999 }),
    );
    expect(bounds).toEqual([500, 1000, 2000, 16_000, 20_000, 20_000]);
    expect(backoffMs(5, { ...options, random: () => 0 })).toBe(0);
    expect(backoffMs(5, { ...options, random: () => 0.5 })).toBe(8000);
  });
});

import { describe, expect, it } from '@jest/globals';
import { fittedExponent } from './exponent.ts';

describe('the fitted exponent', () => {
  const sizes = [10, 100, 1_000, 10_000];
  it.each([
    ['flat', 0, () => 7],
    ['linear', 1, (size: number) => 3 * size],
    ['quadratic', 2, (size: number) => size * size],
  ])('of a %s cost is %d', (_, exponent, cost) => {
    expect(fittedExponent(sizes.map((size) => [size, cost(size)]))).toBeCloseTo(exponent);
  });

  it('needs two sizes', () => {
    expect(fittedExponent([[10, 3]])).toBeNull();
  });
});

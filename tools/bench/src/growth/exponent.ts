/**
 * Fits the costs to size^e, by least squares of the logarithms, and returns e. The cost is constant if e is 0, and
 * linear if e is 1. Returns null if fewer than two different sizes have a positive cost.
 */
export function fittedExponent(
  points: readonly (readonly [size: number, cost: number])[],
): number | null {
  const logs = points
    .filter(([size, cost]) => size > 0 && cost > 0)
    .map(([size, cost]) => [Math.log(size), Math.log(cost)] as const);
  if (logs.length < 2) return null;
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(logs.map(([x]) => x));
  const meanY = mean(logs.map(([, y]) => y));
  const covariance = mean(logs.map(([x, y]) => (x - meanX) * (y - meanY)));
  const variance = mean(logs.map(([x]) => (x - meanX) ** 2));
  return variance === 0 ? null : covariance / variance;
}

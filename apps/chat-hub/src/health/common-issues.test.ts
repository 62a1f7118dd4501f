import { expect, it } from '@jest/globals';
import { highCpu } from './common-issues.ts';
import type { ServerFacts } from './redis-facts.ts';

const server = (cpuShare: number | null) =>
  ({ cpuShare, evictionsPerSecond: 3 }) as unknown as ServerFacts;
const seen = (...shares: (number | null)[]) =>
  highCpu({ isNamed: true, servers: shares.map(server) });

it('a Redis that uses most of its core is an issue, and the busiest server counts', () => {
  expect(seen(0.79).state).toBe('ok');
  expect(seen(0.1, 0.81)).toMatchObject({
    state: 'degraded',
    seen: 'main thread 81% of a core, 3 evictions per second',
  });
});

it('a Redis whose INFO is refused is unknown', () => {
  expect(seen(null).state).toBe('unknown');
});

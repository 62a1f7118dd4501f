import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEventLoops } from './event-loops.ts';

let body = '';
const server = createServer((_request, response) => response.end(body));
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const metrics = (p99: number, max: number) =>
  `# TYPE nodejs_eventloop_lag_max_seconds gauge\nnodejs_eventloop_lag_max_seconds ${max}\nnodejs_eventloop_lag_p99_seconds ${p99}\n`;

describe('the delay of event loops', () => {
  it('is reported between faults, with the longest at any time', async () => {
    const loops = createEventLoops();
    for (const [p99, max, isCalm] of [
      [0.011, 0.02, true],
      [0.013, 0.04, true],
      [2, 9, false],
    ] as const) {
      body = metrics(p99, max);
      await loops.sample(url, isCalm);
    }
    expect(loops.report()).toMatchObject({
      calmP99: { median: 1, p95: 3, max: 3 },
      calmMost: { median: 10, p95: 30, max: 30 },
      longest: 8_990,
      samples: 2,
    });
  });

  it('of a hub that does not answer, or has no such metric, is left out', async () => {
    const loops = createEventLoops();
    body = 'up 1\n';
    await loops.sample(url, true);
    await loops.sample('http://127.0.0.1:1', true);
    expect(loops.report()).toMatchObject({ longest: 0, samples: 0 });
  });
});

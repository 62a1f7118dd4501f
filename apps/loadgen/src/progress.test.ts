import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createProgressView } from './progress.ts';
import type { Progress } from './run.ts';

const live = {
  sent: 0,
  acked: 0,
  deliveries: 0,
  errors: 0,
  connected: 3,
  deliveryP99Ms: 4.5,
  ackP99Ms: 0,
  latenessP99Ms: 0,
};
const measuring: Progress = {
  phase: 'measuring',
  elapsedMs: 1_000,
  totalMs: 9_000,
  stage: 1,
  stages: 1,
  live,
};

function createView(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  let nowMs = 0;
  const view = createProgressView(stream, () => nowMs);
  return {
    view,
    written: () => text,
    wait: (ms: number) => void (nowMs += ms),
  };
}

describe('the progress', () => {
  it('is a line for each phase and every five seconds, where there is no terminal', () => {
    const { view, written, wait } = createView(false);
    view.show({ ...measuring, phase: 'warming up' });
    view.show(measuring);
    wait(4_000);
    view.show(measuring);
    wait(1_000);
    view.show({ ...measuring, elapsedMs: 6_000, live: { ...live, acked: 500, deliveries: 1_500 } });
    view.end();
    expect(written().split('\n')).toEqual([
      'warming up…',
      'measuring…',
      '  6/9 s  3 connected, 100 calls/s, 300 deliveries/s, 0 errors; p99 ms: delivery 4.50, ack 0.00, generator’s lateness 0.00',
      '',
    ]);
  });

  it('names the stage of a run with several', () => {
    const { view, written } = createView(false);
    view.show({ ...measuring, stage: 2, stages: 3 });
    expect(written()).toBe('measuring, stage 2 of 3…\n');
  });
});

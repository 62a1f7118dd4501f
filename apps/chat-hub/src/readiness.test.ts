import { describe, expect, it } from '@jest/globals';
import { createReadiness } from './readiness.ts';

/** A hub whose database and Redis answer when the test says so. */
function createBench() {
  const questions: (() => void)[] = [];
  const answered = <T>(value: T) =>
    new Promise<T>((resolve) => questions.push(() => resolve(value)));
  const readiness = createReadiness({
    hubId: 'hub-1',
    store: {
      health: () =>
        answered({ status: 'ok', engine: 'sqlite', latencyMs: 1, queueLength: 0 } as const),
    },
    redis: {
      health: () => answered({ status: 'ok', latencyMs: 1 } as never),
    },
    publishPath: () => 'ok' as never,
  });
  return {
    readiness,
    questions,
    answer: () => {
      for (const answerOne of questions.splice(0)) answerOne();
    },
  };
}

describe('the readiness of a hub', () => {
  // The fault: anyone may ask /readyz. Each question took one of the 32 places that the tail check and the beat have at
  // the database, so that a flood of them stopped delivery between hubs. Invariant: what keeps the hub going never waits.
  it('is asked of the database once, however many want to know at a time', async () => {
    const { readiness, questions, answer } = createBench();
    const reports = Array.from({ length: 100 }, () => readiness.report());
    expect(questions).toHaveLength(2);
    answer();
    for (const report of await Promise.all(reports)) expect(report.ready).toBe(true);
  });

  it('is asked again by those who come after the answer', async () => {
    const { readiness, questions, answer } = createBench();
    const first = readiness.report();
    answer();
    await first;
    const second = readiness.report();
    expect(questions).toHaveLength(2);
    answer();
    expect((await second).ready).toBe(true);
  });

  it('tells of a drain that began while it was asked', async () => {
    const { readiness, answer } = createBench();
    const report = readiness.report();
    readiness.drain();
    answer();
    expect(await report).toMatchObject({ ready: false, draining: true });
  });
});

import { createHistogram } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { machineBusyMs, processorMs } from '../compare/processor-time.ts';
import type { Contestant } from './contestant.ts';

export interface MicroResult {
  readonly perSecond: number;
  /** The processor time of all threads of this process for one operation. `redisMicros` is that of Redis. */
  readonly micros: number;
  readonly redisMicros: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  readonly otherCores: number;
}

/** Keeps `concurrency` operations running for `durationMs`, after a warm-up of a quarter of this time. */
export async function measure(
  contestant: Contestant,
  {
    durationMs,
    concurrency,
    redisPid,
    signal,
  }: {
    readonly durationMs: number;
    readonly concurrency: number;
    readonly redisPid: number;
    readonly signal: AbortSignal;
  },
): Promise<MicroResult> {
  let started = 0;
  await operate(durationMs / 4, () => undefined);
  const latencies = createHistogram({ figures: 3 });
  const ownFrom = process.cpuUsage();
  const redisFrom = processorMs(redisPid);
  const busyFrom = machineBusyMs();
  const startMs = performance.now();
  const done = await operate(durationMs, (ms) => {
    latencies.record(Math.max(1, Math.round(ms * 1_000)));
  });
  const seconds = (performance.now() - startMs) / 1_000;
  const own = process.cpuUsage(ownFrom);
  const ownMs = (own.user + own.system) / 1_000;
  const redisMs = processorMs(redisPid) - redisFrom;
  const otherMs = machineBusyMs() - busyFrom - ownMs - redisMs;
  return {
    perSecond: done / seconds,
    micros: (1_000 * ownMs) / done,
    redisMicros: (1_000 * redisMs) / done,
    otherCores: Math.max(0, otherMs) / 1_000 / seconds,
    p50Micros: latencies.percentile(50),
    p99Micros: latencies.percentile(99),
  };

  async function operate(forMs: number, note: (ms: number) => void): Promise<number> {
    const endMs = performance.now() + forMs;
    let operations = 0;
    const work = async () => {
      while (performance.now() < endMs && !signal.aborted) {
        const fromMs = performance.now();
        await contestant.operate(started++);
        note(performance.now() - fromMs);
        operations += 1;
        // Operations that do no I/O would otherwise block the event loop.
        if (operations % 1_000 === 0) await turn();
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    return operations;
  }
}

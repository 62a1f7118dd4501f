import { spreadOf } from '../statistics.ts';

export async function medianMs(times: number, call: () => Promise<unknown>): Promise<number> {
  const measured: number[] = [];
  for (let done = 0; done < times; done += 1) {
    const fromMs = performance.now();
    await call();
    measured.push(performance.now() - fromMs);
  }
  return spreadOf(measured)?.median ?? Number.NaN;
}

import { setTimeout as delay } from 'node:timers/promises';

const tickMs = 1;

/** Resolves with the longest time that a call of `act` was late, in ms. */
export async function atPace(
  perSecond: number,
  count: number,
  act: (at: number) => void,
): Promise<number> {
  const startMs = performance.now();
  let maxLateMs = 0;
  let done = 0;
  while (done < count) {
    const due = Math.min(count, ((performance.now() - startMs) * perSecond) / 1_000);
    const oldestDueMs = startMs + (done * 1_000) / perSecond;
    if (done < due) maxLateMs = Math.max(maxLateMs, performance.now() - oldestDueMs);
    for (; done < due; done += 1) act(done);
    await delay(tickMs);
  }
  return maxLateMs;
}

import type { Metrics } from './metrics.ts';

const everyMs = 20;

export function startEventLoopDelay({
  eventLoopDelaySeconds,
}: Pick<Metrics, 'eventLoopDelaySeconds'>): { close(): void } {
  let dueMs = performance.now() + everyMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    eventLoopDelaySeconds.observe(Math.max(0, nowMs - dueMs) / 1_000);
    dueMs = nowMs + everyMs;
  }, everyMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './clock.ts';
import { readProcessUsage, type ProcessUsage } from './hub-process.ts';
import { machineUsage, readMachineTicks, type MachineUsage } from './machine.ts';

export interface Usage {
  readonly hub: { readonly cpuMs: number; readonly rssBytes: number } | null;
  readonly ownCpuMs: number;
  readonly elapsedMs: number;
  readonly machine: MachineUsage | null;
}

const sampleEveryMs = 1_000;

/**
 * Measures the highest memory from now, and CPU and time from `fromMs`, all until `end`. If the signal aborts before
 * `fromMs`, CPU and time are measured from the abort.
 */
export function measureUsage(
  fromMs: number,
  hubPid: number | undefined,
  signal: AbortSignal | undefined,
): { end(): Promise<Usage> } {
  const read = (): ProcessUsage | null => {
    try {
      return hubPid === undefined ? null : readProcessUsage(hubPid);
    } catch {
      return null;
    }
  };
  let before: ProcessUsage | null = null;
  let last: ProcessUsage | null = null;
  let rssBytes = 0;
  let ownBefore = process.cpuUsage();
  let beganMs = nowMs();
  let machineBefore = readMachineTicks();
  const sample = () => {
    last = read() ?? last;
    rssBytes = Math.max(rssBytes, last?.rssBytes ?? 0);
  };
  const timer = setInterval(sample, sampleEveryMs);
  timer.unref();
  const begun = delay(Math.max(0, fromMs - nowMs()), undefined, { ...(signal && { signal }) })
    .catch(() => {})
    .then(() => {
      before = read();
      ownBefore = process.cpuUsage();
      beganMs = nowMs();
      machineBefore = readMachineTicks();
    });
  return {
    async end() {
      await begun;
      sample();
      clearInterval(timer);
      const own = process.cpuUsage(ownBefore);
      const cpuMs = before === null || last === null ? null : last.cpuMs - before.cpuMs;
      return {
        hub: cpuMs === null ? null : { cpuMs, rssBytes },
        ownCpuMs: (own.user + own.system) / 1000,
        elapsedMs: nowMs() - beganMs,
        machine: machineUsage(machineBefore, readMachineTicks()),
      };
    },
  };
}

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface MachineTicks {
  readonly total: number;
  readonly idle: number;
  /** Time that the host of this virtual machine gave to other machines. */
  readonly stolen: number;
}

export interface MachineUsage {
  readonly cores: number;
  readonly busy: number;
  readonly stolen: number;
}

/** Returns null on systems without /proc/stat. */
export function readMachineTicks(): MachineTicks | null {
  try {
    const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    const ticks = first.trim().split(/\s+/).slice(1, 9).map(Number);
    const [, , , idle = 0, waiting = 0, , , stolen = 0] = ticks;
    return { total: ticks.reduce((sum, count) => sum + count, 0), idle: idle + waiting, stolen };
  } catch {
    return null;
  }
}

export function machineUsage(
  before: MachineTicks | null,
  after: MachineTicks | null,
): MachineUsage | null {
  if (before === null || after === null || after.total <= before.total) return null;
  const total = after.total - before.total;
  const stolen = (after.stolen - before.stolen) / total;
  return {
    cores: availableParallelism(),
    busy: 1 - (after.idle - before.idle) / total - stolen,
    stolen,
  };
}

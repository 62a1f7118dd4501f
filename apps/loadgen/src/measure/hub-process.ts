import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { LoadgenError } from '../errors.ts';

export interface ProcessUsage {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

let ticksPerSecond: number | null = null;

/** @throws {LoadgenError} when there is no such process, or no /proc */
export function readProcessUsage(pid: number): ProcessUsage {
  try {
    ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK']).toString());
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in parentheses and may contain anything; only numbers follow it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const rssKib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { cpuMs: (ticks / ticksPerSecond) * 1000, rssBytes: Number(rssKib) * 1024 };
  } catch (cause) {
    throw new LoadgenError(
      'invalid_options',
      `There is no process ${pid} to measure on this machine.`,
      { cause },
    );
  }
}

import { describe, expect, it } from '@jest/globals';
import { readProcessUsage } from './hub-process.ts';

describe('readProcessUsage', () => {
  it('reads the CPU time and memory of a process', () => {
    const { user, system } = process.cpuUsage();
    const usage = readProcessUsage(process.pid);
    expect(Math.abs(usage.cpuMs - (user + system) / 1000)).toBeLessThan(200);
    expect(Math.abs(usage.rssBytes / process.memoryUsage.rss() - 1)).toBeLessThan(0.2);
  });

  it('reports a missing process in one sentence', () => {
    expect(() => readProcessUsage(2 ** 30)).toThrow('There is no process 1073741824');
  });
});

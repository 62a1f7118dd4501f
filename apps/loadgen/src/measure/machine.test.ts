import { describe, expect, it } from '@jest/globals';
import { machineUsage, readMachineTicks } from './machine.ts';

describe('the machine’s usage', () => {
  it('is the difference of two readings, as shares of all cores', () => {
    const before = { total: 1_000, idle: 400, stolen: 10 };
    const after = { total: 2_000, idle: 600, stolen: 60 };
    expect(machineUsage(before, after)).toMatchObject({ busy: 0.75, stolen: 0.05 });
    expect(machineUsage(null, after)).toBeNull();
    expect(machineUsage(after, after)).toBeNull();
  });

  it('is read from the kernel, which counts the work of this test', () => {
    const before = readMachineTicks();
    const endMs = performance.now() + 300;
    while (performance.now() < endMs);
    const usage = machineUsage(before, readMachineTicks());
    expect(usage?.busy).toBeGreaterThan(0);
    expect(usage?.busy).toBeLessThanOrEqual(1);
  });
});

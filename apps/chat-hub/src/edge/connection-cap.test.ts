import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { connectionLimits, openFilesLimit } from './connection-cap.ts';

describe('connection limits', () => {
  it('leave files for the hub itself and connections for refused clients', () => {
    for (const files of [512, 1_024, 20_000, 1_048_576]) {
      const { served, surplus } = connectionLimits(files, null);
      expect(served + surplus).toBeLessThanOrEqual(files - 256);
      expect(served).toBeGreaterThan((files - 256) * 0.8);
      expect(surplus).toBeGreaterThanOrEqual(16);
      expect(surplus).toBeLessThanOrEqual(1_024);
    }
  });

  it('follow the configured number where it fits', () => {
    expect(connectionLimits(20_000, 100)).toEqual({ served: 100, surplus: 16 });
    expect(connectionLimits(1_024, 50_000)).toEqual(connectionLimits(1_024, null));
    expect(connectionLimits(null, 50_000)).toEqual({ served: 50_000, surplus: 1_024 });
    expect(connectionLimits(null, null)).toEqual(connectionLimits(1_024, null));
  });

  it('read the limit of open files from the system', () => {
    const ulimit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' });
    expect(openFilesLimit()).toBe(Number(ulimit));
  });
});

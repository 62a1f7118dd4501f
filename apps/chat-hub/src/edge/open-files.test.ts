import { describe, expect, it } from '@jest/globals';
import { connectionLimits, openFilesLimit } from './open-files.ts';

describe('connections in so many open files', () => {
  it('leave files for the hub itself and connections for those that are told to come back', () => {
    for (const files of [512, 1_024, 20_000, 1_048_576]) {
      const { served, surplus } = connectionLimits(files, null);
      expect(served + surplus).toBeLessThanOrEqual(files - 256);
      expect(served).toBeGreaterThan((files - 256) * 0.8);
      expect(surplus).toBeGreaterThanOrEqual(16);
      expect(surplus).toBeLessThanOrEqual(1_024);
    }
  });

  it('are as many as is said, where they fit', () => {
    expect(connectionLimits(20_000, 100)).toEqual({ served: 100, surplus: 16 });
    expect(connectionLimits(1_024, 50_000)).toEqual(connectionLimits(1_024, null));
    expect(connectionLimits(null, 50_000)).toEqual({ served: 50_000, surplus: 1_024 });
    expect(connectionLimits(null, null)).toEqual(connectionLimits(1_024, null));
  });

  it('are asked of the system', () => {
    expect(openFilesLimit()).toBeGreaterThan(100);
  });
});

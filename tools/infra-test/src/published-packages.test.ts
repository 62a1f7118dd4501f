import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readText, root } from './repository.ts';

const manifests = globSync('packages/*/package.json', { cwd: root }).sort();

describe('a published package', () => {
  it('is one of ten', () => {
    expect(manifests).toHaveLength(10);
  });

  // The fault: a package depended on one exact version, and a second package wanted a different one. `npm install` then
  // ended with ERESOLVE.
  it.each(manifests)('depends on ranges, never on one exact version: %s', async (path) => {
    const { dependencies = {} } = JSON.parse(await readText(path)) as {
      dependencies?: Record<string, string>;
    };
    expect(Object.entries(dependencies).filter(([, range]) => !range.startsWith('^'))).toEqual([]);
  });

  it.each(manifests)('has its licence: %s', (path) => {
    expect(existsSync(join(root, dirname(path), 'LICENSE'))).toBe(true);
  });
});

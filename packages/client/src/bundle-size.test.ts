import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { bundleForBrowser } from './browser-bundle.test.support.ts';

describe('the browser bundle', () => {
  it('is under 15 KB gzipped, as small as the README says, and holds no dependency', () => {
    const code = bundleForBrowser("export * from '@openclaw/client';");
    const kilobytes = gzipSync(code, { level: 9 }).length / 1024;
    expect(code).toContain('HubError');
    expect(code).not.toMatch(/ZodType|^import /m);
    expect(kilobytes).toBeLessThan(15);
    const readme = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8');
    expect(/under (\d+) KB gzipped/.exec(readme)?.[1]).toBe(String(Math.ceil(kilobytes)));
  });
});

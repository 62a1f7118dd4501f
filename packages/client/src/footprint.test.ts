import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { bundleForBrowser } from './browser-bundle.test.support.ts';

const folder = resolve(import.meta.dirname, '..');

describe('the browser bundle', () => {
  it('is under 15 KB gzipped, as small as the README says, and holds no dependency', () => {
    const code = bundleForBrowser("export * from '@openclaw/client';");
    const kilobytes = gzipSync(code, { level: 9 }).length / 1024;
    expect(code).toContain('HubError');
    expect(code).not.toMatch(/ZodType|^import /m);
    expect(kilobytes).toBeLessThan(15);
    const readme = readFileSync(resolve(folder, 'README.md'), 'utf8');
    expect(/under (\d+) KB gzipped/.exec(readme)?.[1]).toBe(String(Math.ceil(kilobytes)));
  });
});

describe('an import in Node', () => {
  // zod costs an importing process 100 ms and 20 MB.
  it('loads one dependency, the hash, and no zod', () => {
    const hooks = `export function load(url, context, next) {
      if (/\\/node_modules\\/(?!@noble\\/hashes\\/)/.test(url)) throw new Error(url + ' was loaded');
      return next(url, context);
    }`;
    const program = `
      import { register } from 'node:module';
      register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
      await import(process.argv[1]);
    `;
    const options = ['--no-warnings', '--conditions=@openclaw/source', '--input-type=module'];
    const load = (entry: string) =>
      spawnSync(process.execPath, [...options, '-e', program, entry], {
        cwd: folder,
        encoding: 'utf8',
      }).stderr;
    expect(load('@openclaw/client')).toBe('');
    expect(load('@openclaw/protocol')).toContain('zod');
  });
});

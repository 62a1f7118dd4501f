import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import * as protocol from '@openclaw/protocol';
import * as wire from '@openclaw/protocol/wire';

describe('@openclaw/protocol/wire', () => {
  it('holds values of the main entry, and no others', () => {
    expect(Object.keys(wire).length).toBeGreaterThan(10);
    expect(protocol).toMatchObject({ ...wire });
  });

  it('loads no dependency, zod included', () => {
    const refuse = `export function load(url, context, next) {
      if (url.includes('/node_modules/')) throw new Error(url + ' was loaded');
      return next(url, context);
    }`;
    const program = `
      import { register } from 'node:module';
      register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(refuse)}`)});
      await import(process.argv[1]);
    `;
    const load = (entry: string) =>
      spawnSync(
        process.execPath,
        [
          '--no-warnings',
          '--conditions=@openclaw/source',
          '--input-type=module',
          '-e',
          program,
          entry,
        ],
        { cwd: import.meta.dirname, encoding: 'utf8' },
      ).stderr;
    expect(load('@openclaw/protocol/wire')).toBe('');
    expect(load('@openclaw/protocol')).toContain('zod');
  });
});

import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = import.meta.dirname;
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
);
const importsOf = (name: string) =>
  [
    ...readFileSync(join(folder, name), 'utf8').matchAll(
      /^(?:import|export) (?!type)[^;]*?from '([^']+)'/gms,
    ),
  ].map((match) => match[1] ?? '');

describe('in a browser', () => {
  it('only zod and this package’s own files are imported', () => {
    expect(sources.length).toBeGreaterThan(20);
    const foreign = sources
      .flatMap(importsOf)
      .filter((from) => from !== 'zod' && !from.startsWith('.'));
    expect(foreign).toEqual([]);
  });

  it('no source uses an API that only Node has', () => {
    const node = /\b(?:Buffer|process|require|__dirname|setImmediate)\b\s*[.(]/;
    expect(sources.filter((name) => node.test(readFileSync(join(folder, name), 'utf8')))).toEqual(
      [],
    );
  });

  const reachedFrom = (name: string) => {
    const reached = new Set([name]);
    for (const file of reached) {
      if (file === 'zod') continue;
      for (const from of importsOf(file)) {
        reached.add(from.startsWith('.') ? join(file, '..', from) : from);
      }
    }
    return [...reached];
  };

  it.each([
    'limits.ts',
    'errors.ts',
    'close-codes.ts',
    'event-types.ts',
    'codec.ts',
    'text.ts',
    'emoji.ts',
    'json-object.ts',
    'web-socket.ts',
    'wire.ts',
  ])('%s does not load zod, itself or through its imports', (name) => {
    expect(reachedFrom(name)).not.toContain('zod');
    expect(reachedFrom('index.ts')).toEqual(expect.arrayContaining(['zod', name]));
  });
});

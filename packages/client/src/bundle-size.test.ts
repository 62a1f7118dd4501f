import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';

const entry = resolve(dirname(fileURLToPath(import.meta.url)), 'index.ts');
const protocol = resolve(dirname(entry), '../../protocol/src/index.ts');
const maxBytes = 15 * 1024;

/** What a file brings in at run time: module and names (none for a namespace or side effect). */
function runtimeImports(path: string): { from: string; names: string[] }[] {
  const text = readFileSync(path, 'utf8');
  const statements = text.matchAll(
    /^(?:import|export) (?!type\b)(?:\{([^}]*)\}|[^'";]*?) ?from '([^']+)';/gm,
  );
  return [...statements].flatMap(([, list = '', from = '']) => {
    const names = list.split(',').map((name) => name.trim());
    const values = names.filter((name) => name !== '' && !name.startsWith('type '));
    return values.length === 0 && list !== '' ? [] : [{ from, names: values }];
  });
}

/** The files that a bundler keeps: of a package without side effects, only those whose names are used. */
function bundledFiles(): Set<string> {
  const files = new Set<string>();
  const visit = (path: string) => {
    if (files.has(path)) return;
    files.add(path);
    for (const { from, names } of runtimeImports(path)) {
      if (from.startsWith('.')) visit(resolve(dirname(path), from));
      else if (from === '@openclaw/protocol') visitProtocol(names);
      else throw new Error(`${path} brings in ${from}`);
    }
  };
  const visitProtocol = (names: string[]) => {
    for (const name of names) {
      const home = runtimeImports(protocol).find((exported) => exported.names.includes(name));
      if (home === undefined) throw new Error(`protocol exports no ${name}`);
      visit(resolve(dirname(protocol), home.from));
    }
  };
  visit(entry);
  return files;
}

describe('the bundle', () => {
  it('is under 15 KB gzipped, and holds no dependency but zod-free modules of the protocol', () => {
    const files = [...bundledFiles()];
    const code = files.map((path) => {
      const { code } = transformSync(readFileSync(path, 'utf8'), {
        swcrc: false,
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript' },
          minify: { compress: true, mangle: true },
        },
        minify: true,
        module: { type: 'es6' },
      });
      return code;
    });
    const bytes = gzipSync(code.join('\n')).length;
    expect(files.filter((path) => path.startsWith(dirname(protocol))).length).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThan(1000);
    expect(bytes).toBeLessThan(maxBytes);
  });
});

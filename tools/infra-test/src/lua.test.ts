import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readText, root } from './repository.ts';

const scripts = globSync('packages/*/src/lua/*.lua', { cwd: root }).sort();

const keywords =
  'and break do else elseif end false for function if in local nil not or repeat return then true until while';
/** Redis gives every script these globals. */
const given = 'ARGV KEYS redis ipairs math pairs string table tonumber tostring unpack';
const known = new Set(`${keywords} ${given}`.split(' '));

/** Returns the names that the script uses, but that neither the script declares nor Redis gives. */
function freeNames(lua: string): string[] {
  const code = lua.replace(/--\[\[.*?\]\]|--[^\n]*|'(?:\\.|[^'\\])*'/gs, "''");
  const declared = new Set<string>();
  const declarations = [
    /\blocal\s+(?!function\b)([\w\s,]+?)(?=\s*[=\n]|$)/g,
    /\blocal\s+function\s+(\w+)/g,
    /\bfunction\b[^(\n]*\(([^)]*)\)/g,
    /\bfor\s+([\w\s,]+?)\s*(?:=|\bin\b)/g,
  ];
  for (const declaration of declarations) {
    for (const [, names = ''] of code.matchAll(declaration)) {
      for (const name of names.split(',')) declared.add(name.trim());
    }
  }
  const used = [...code.matchAll(/(?<![\w.:])[A-Za-z_]\w*/g)].map(([name]) => name);
  return [...new Set(used)].filter((name) => !known.has(name) && !declared.has(name));
}

describe('a Lua script', () => {
  it.each(scripts)('stands alone: %s', async (path) => {
    expect(freeNames(await readText(path))).toEqual([]);
    // A package must pass the embedded source to `defineScript` unchanged.
    const constant = basename(path, '.lua').replace(/-(\w)/g, (_, letter: string) =>
      letter.toUpperCase(),
    );
    const folder = path.slice(0, path.indexOf('/lua/'));
    const sources = globSync(`${folder}/**/*.ts`, { cwd: root }).filter(
      (source) => !/\.(gen|test|contract)\.ts$/.test(source),
    );
    const texts = await Promise.all(sources.map((source) => readText(source)));
    const defined = new RegExp(`defineScript\\([^,()]+, ${constant}Lua\\)`, 'g');
    expect(texts.flatMap((text) => [...text.matchAll(defined)])).toHaveLength(1);
  });

  it('the control: a name that nobody declares is found', () => {
    expect(freeNames("local a = KEYS[1]\nreturn mend(a, 'mend', now)")).toEqual(['mend', 'now']);
  });
});

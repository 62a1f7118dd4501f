import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readText, root } from './repository.ts';

const homes = ['packages', 'apps/chat-hub/src', ''];

interface Row {
  readonly number: string;
  readonly tests: string;
  readonly control: string;
  readonly text: string;
}

async function rows(): Promise<Row[]> {
  const page = await readText('docs/failure-modes.md');
  return [...page.matchAll(/^\| (\d+[a-z]?) .*$/gm)].map(([text, number = '']) => {
    const [, , , tests = '', control = ''] = text.split(' | ').map((cell) => cell.trim());
    return { number, tests, control, text };
  });
}

/** The tests that a cell names, by file and title. */
function named(cell: string): { file: string; title: string }[] {
  return [...cell.matchAll(/`([^`]+\.ts)` “(.*?)”(?=<br>|\s*\|?$)/g)].map(
    ([, file = '', title = '']) => ({ file, title }),
  );
}

async function has({ file, title }: { file: string; title: string }): Promise<boolean> {
  const home = homes.find((candidate) => existsSync(join(root, candidate, file)));
  if (home === undefined) return false;
  const source = await readText(join(home, file));
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
}

describe('docs/failure-modes.md', () => {
  it('has a row for each of the 45, each with a test and a control', async () => {
    const all = await rows();
    const names = all.map(({ number }) => number);
    expect(names).toEqual([...new Set(names)]);
    const numbers = new Set(names.map((name) => Number.parseInt(name)));
    expect([...numbers]).toEqual(Array.from({ length: 45 }, (_, n) => n + 1));
    for (const { number, tests, control } of all) {
      expect([number, named(tests).length > 0]).toEqual([number, true]);
      expect([number, named(control).length > 0 || /^(same|none)\b.*: \w/.test(control)]).toEqual([
        number,
        true,
      ]);
    }
  });

  it('names only tests that exist, by their full titles', async () => {
    for (const { text } of await rows()) {
      for (const cell of text.split(' | ')) {
        const files = cell.match(/`[^`]+\.ts`/g) ?? [];
        const tests = named(cell);
        expect(tests).toHaveLength(files.length);
        for (const test of tests) expect([test, await has(test)]).toEqual([test, true]);
      }
    }
  });

  it('refers only to decisions that exist', async () => {
    const decisions = await readText('docs/decisions.md');
    for (const { text } of await rows()) {
      for (const [, number] of text.matchAll(/\[decision (\d+)\]/g)) {
        expect(decisions).toMatch(new RegExp(`^## ${number}\\. `, 'm'));
      }
    }
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readText, root } from './repository.ts';

const homes = ['packages', 'apps/chat-hub/src', ''];

interface Fault {
  readonly number: string;
  readonly tests: readonly string[];
  readonly control: string;
  readonly text: string;
}

async function faults(): Promise<Fault[]> {
  const page = await readText('docs/failure-modes.md');
  return [...page.matchAll(/^- \*\*(\d+[a-z]?)\. [^]*?(?=^- |$(?![^]))/gm)].map(
    ([text, number = '']) => ({
      number,
      tests: linesOf(text, 'test'),
      control: linesOf(text, 'control').join('\n'),
      text,
    }),
  );
}

function linesOf(text: string, kind: string): string[] {
  const begin = `  - ${kind}: `;
  const lines = text.split('\n').filter((line) => line.startsWith(begin));
  return lines.map((line) => line.slice(begin.length));
}

function named(line: string): { file: string; title: string }[] {
  const [, file, title] = /^`([^`]+\.ts)` “(.*)”$/.exec(line) ?? [];
  return file !== undefined && title !== undefined ? [{ file, title }] : [];
}

async function has({ file, title }: { file: string; title: string }): Promise<boolean> {
  const home = homes.find((candidate) => existsSync(join(root, candidate, file)));
  if (home === undefined) return false;
  const source = await readText(join(home, file));
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
}

describe('docs/failure-modes.md', () => {
  it('lists faults in the order of their numbers, each with a test and a control', async () => {
    const all = await faults();
    const names = all.map(({ number }) => number);
    const inOrder = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });
    expect(names).toEqual([...new Set(names)].sort(inOrder));
    const numbers = new Set(names.map((name) => Number.parseInt(name)));
    const firstOnes = Array.from({ length: 45 }, (_, n) => n + 1);
    expect(firstOnes.filter((number) => !numbers.has(number))).toEqual([]);
    for (const { number, tests, control } of all) {
      expect([number, tests.flatMap(named).length > 0]).toEqual([number, true]);
      expect([number, named(control).length > 0 || /^(same|none)\b.*: \w/.test(control)]).toEqual([
        number,
        true,
      ]);
    }
  });

  it('names only tests that exist, by their whole titles', async () => {
    for (const { tests, control, text } of await faults()) {
      const all = [...tests, control].flatMap(named);
      expect([text, all.length]).toEqual([text, text.match(/`[^`]+\.ts`/g)?.length]);
      for (const test of all) expect([test, await has(test)]).toEqual([test, true]);
    }
  });

  it('refers only to decisions that exist', async () => {
    const decisions = await readText('docs/decisions.md');
    for (const { text } of await faults()) {
      for (const [, number] of text.matchAll(/\[decision (\d+)\]/g)) {
        expect(decisions).toMatch(new RegExp(`^## ${number}\\. `, 'm'));
      }
    }
  });
});

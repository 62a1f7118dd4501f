import { styleText } from 'node:util';
import type { HealthReport } from './health.ts';
import type { Line, State } from './line.ts';

const marks: Readonly<Record<State, string>> = { ok: '✓', degraded: '!', down: '✗', unknown: '?' };
const colours = { ok: 'green', degraded: 'yellow', down: 'red', unknown: 'gray' } as const;
const widthMin = 40;
const widthMax = 120;

/** Wraps lines to the width. Without colours the result is plain text. */
export function screen(
  { status, atMs, tookMs, sections }: HealthReport,
  terminalWidth: number,
  isColored: boolean,
): string {
  const width = Math.min(widthMax, Math.max(widthMin, terminalWidth));
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    isColored ? styleText(format, text, { validateStream: false }) : text;
  const nameWidth = Math.max(
    ...sections.flatMap(({ lines }) => lines.map(({ name }) => name.length)),
  );
  const indent = ' '.repeat(nameWidth + 5);

  const time = new Date(atMs).toISOString().replace('T', ' ').replace(/\..*/, 'Z');
  const title = `Chat hub: ${status}`;
  const right = `${time}, ${(tookMs / 1000).toFixed(1)} s`;
  const room = width - title.length;
  const head = style(['bold', colours[status]], title);
  const rows = [right.length + 2 > room ? head : head + right.padStart(room)];
  const showLine = ({ name, state, seen, advice }: Line) => {
    const [first = '', ...rest] = wrap(seen, width - indent.length);
    rows.push(`  ${style(colours[state], marks[state])} ${name.padEnd(nameWidth)} ${first}`);
    rows.push(...rest.map((text) => indent + text));
    if (advice !== null) {
      const hint = wrap(advice, width - indent.length - 2);
      rows.push(
        ...hint.map((text, at) => style('dim', `${indent}${at === 0 ? '→ ' : '  '}${text}`)),
      );
    }
  };
  for (const { title: part, subject, lines } of sections) {
    rows.push(
      '',
      style('bold', part) + style('dim', `  ${shortened(subject, width - part.length - 2)}`),
    );
    lines.forEach(showLine);
  }
  return `${rows.join('\n')}\n`;
}

function shortened(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function wrap(text: string, width: number): string[] {
  const rows: string[] = [];
  let row = '';
  for (let word of text.split(' ')) {
    while (word.length > width) {
      if (row !== '') rows.push(row);
      row = '';
      rows.push(word.slice(0, width));
      word = word.slice(width);
    }
    if (row === '') row = word;
    else if (row.length + 1 + word.length <= width) row += ` ${word}`;
    else {
      rows.push(row);
      row = word;
    }
  }
  return [...rows, row];
}

import { styleText } from 'node:util';
import type { AuditReport } from './audit.ts';

export function textReport(report: AuditReport, shownUrl: string, isColored: boolean): string {
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    isColored ? styleText(format, text, { validateStream: false }) : text;
  const { findings, kinds, servers, notes } = report;
  const lines = [
    style('bold', `Audit of ${shownUrl}`),
    `${report.mode}, ${report.role}, ${plural(report.keys, 'key')} in ${(report.durationMs / 1000).toFixed(1)} s`,
    '',
    ...table([
      ['server', 'role', 'Redis', 'keys'],
      ...servers.map(({ address, role, version, keys }) => [
        address,
        role ?? '?',
        version ?? '?',
        keys === null ? '?' : number(keys),
      ]),
    ]),
  ];
  if (kinds.length > 0) {
    lines.push(
      '',
      ...table([
        ['key', 'keys', 'size', 'largest', ''],
        ...kinds
          .toSorted((a, b) => b.bytes - a.bytes)
          .map(({ pattern, keys, bytes, largestBytes, largestKey }) => [
            pattern,
            number(keys),
            size(bytes),
            size(largestBytes),
            largestKey ?? '',
          ]),
      ]),
    );
  }
  lines.push('');
  for (const { check, subject, count, samples } of findings) {
    lines.push(style('red', `✗ ${check}: ${subject} (${number(count)})`));
    for (const { key, text } of samples)
      lines.push(key === null ? `    ${text}` : `    ${key} ${text}`);
    const rest = count - samples.length;
    if (rest > 0) lines.push(`    … and ${number(rest)} more`);
  }
  for (const note of notes) lines.push(style('yellow', `· ${note}`));
  const total = findings.reduce((sum, { count }) => sum + count, 0);
  lines.push(
    total === 0
      ? style('green', '✓ clean: every key is as the key table says')
      : style('red', plural(total, 'finding')),
  );
  return `${lines.join('\n')}\n`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const isNumeric = widths.map(
    (_, at) => at > 0 && rows.slice(1).every((row) => /^[\d,.?]/.test(row[at] ?? '')),
  );
  return rows.map((row) =>
    row
      .map((cell, at) =>
        isNumeric[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

const number = (value: number) => value.toLocaleString('en-US');
const plural = (value: number, noun: string) => `${number(value)} ${noun}${value === 1 ? '' : 's'}`;

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

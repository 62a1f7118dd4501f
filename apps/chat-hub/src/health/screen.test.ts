import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { usesColours } from '../observe/terminal.ts';
import type { HealthReport } from './health.ts';
import { line, worst } from './line.ts';
import { screen } from './screen.ts';

const longAdvice = 'read the log of the hub and then that of the database '.repeat(5).trim();
const report: HealthReport = {
  status: 'degraded',
  atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  tookMs: 1_234,
  sections: [
    {
      title: 'Redis',
      subject: `redis://${'h'.repeat(200)}:6379`,
      lines: [
        line('reachable', 'degraded', 'connect ECONNREFUSED 127.0.0.1:1', longAdvice),
        line('memory', 'ok', 'x'.repeat(300), 'no advice is shown for what is well'),
        line('role', 'unknown', 'the user may not read INFO'),
      ],
    },
  ],
};

describe('the screen', () => {
  it.each([40, 80, 120])('fits into %i columns with any content', (width) => {
    const rows = screen(report, width, false).split('\n');
    expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(width);
  });

  it('loses no word by wrapping', () => {
    const words = screen(report, 80, false).replace(/\s+/g, ' ');
    expect(words).toContain(`→ ${longAdvice}`);
    expect(words).not.toContain('no advice is shown');
    expect(words).toMatch(/^Chat hub: degraded 2026-01-02 03:04:05Z, 1.2 s/);
  });

  it('is the same text with and without colours', () => {
    const plain = screen(report, 80, false);
    const colored = screen(report, 80, true);
    expect(plain).not.toContain('\x1b');
    expect(colored).toContain('\x1b');
    expect(stripVTControlCharacters(colored)).toBe(plain);
  });

  it('has colours on a terminal only, and not with NO_COLOR', () => {
    expect(usesColours({ isTTY: true }, {})).toBe(true);
    expect(usesColours({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
    expect(usesColours({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(usesColours({}, {})).toBe(false);
  });
});

describe('the worst state', () => {
  it('is that of the worst line, and unknown lines do not count', () => {
    const states = (['unknown', 'ok', 'degraded', 'down'] as const).map((state) =>
      line('x', state, ''),
    );
    expect([1, 2, 3, 4].map((length) => worst(states.slice(0, length)))).toEqual([
      'ok',
      'ok',
      'degraded',
      'down',
    ]);
  });
});

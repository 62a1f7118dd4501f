import { describe, expect, it } from '@jest/globals';
import { formatWork, type Run } from './report.ts';
import type { Work } from './works/work.ts';

const work: Work = {
  name: 'hall',
  description: 'agents in one channel',
  columns: [
    { key: 'micros', title: 'µs', digits: 1 },
    { key: 'lost', title: 'lost', digits: 0 },
  ],
  comparedBy: 'micros',
  run: () => Promise.reject(new Error('not run')),
};
const run = (system: string, round: number, micros: number, lost: number | null): Run => ({
  work: 'hall',
  system,
  round,
  measured: { values: { micros, lost }, notes: lost ? ['it lost some'] : [] },
});
const options = { reference: 'peer', origin: 'Measured.' };

describe('the report', () => {
  it('has medians, ranges, and ratios to the reference', () => {
    const runs = [
      run('hub', 1, 9, 0),
      run('peer', 1, 10, 7),
      run('hub', 2, 3, 0),
      run('hub', 3, 5, 0),
    ];
    const text = formatWork(work, runs, options);
    const lines = text.split('\n').map((line) => line.replace(/ +/g, ' '));
    expect(lines).toContain('| hub | 5.0 | 0 | 3.0–9.0 | 0.50 |');
    expect(lines).toContain('| peer | 10.0 | 7 | 10.0–10.0 | 1.00 |');
    expect(lines).toContain('- peer, round 1: it lost some');
    expect(lines.at(-1)).toBe('Medians of 3 rounds. Measured.');
  });

  it('has neither ranges nor numbers of rounds after a single round', () => {
    const text = formatWork(work, [run('hub', 1, 9, 0), run('peer', 1, 10, 7)], options);
    const lines = text.split('\n').map((line) => line.replace(/ +/g, ' '));
    expect(lines).toContain('| system | µs | lost | ratio to peer |');
    expect(lines).toContain('| hub | 9.0 | 0 | 0.90 |');
    expect(lines).toContain('- peer: it lost some');
    expect(lines.at(-1)).toBe('One round. Measured.');
  });

  it('shows a dash for what was not measured', () => {
    const text = formatWork(work, [run('hub', 1, 4, null), run('hub', 2, 5, null)], options);
    expect(text.replace(/ +/g, ' ')).toContain('| hub | 4.5 | – | 4.0–5.0 | – |');
  });
});

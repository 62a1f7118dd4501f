import { describe, expect, it } from '@jest/globals';
import { formatRows, rowsOf } from './measure.ts';

describe('the results of the faults', () => {
  it('have minimum, median and maximum of each measure', () => {
    expect(rowsOf(new Map([['killed', [30, 10, 900, 20, 40]]] as const))).toMatchObject([
      { runs: 5, minMs: 10, medianMs: 30, maxMs: 900, boundMs: 1_500, holds: true },
    ]);
  });

  it('hold the median to its bound, not the maximum', () => {
    const rows = rowsOf(
      new Map([
        ['killed', [100, 200, 9_000]],
        ['frozen', [100, 1_600, 1_700]],
      ] as const),
    );
    expect(rows.map(({ holds }) => holds)).toEqual([true, false]);
    expect(formatRows(rows)).toMatch(/Redis killed.* holds\nRedis frozen.* PAST ITS BOUND$/);
  });
});

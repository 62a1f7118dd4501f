import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { offsetsOf, rowAt, rowsInView } from './row-window.ts';

describe('the rows in view', () => {
  it('are those that touch it, and those within the overscan', () => {
    const offsets = offsetsOf([10, 20, 30, 40, 50], (height) => height, 0);
    expect([...offsets]).toEqual([0, 10, 30, 60, 100, 150]);
    expect(rowsInView(offsets, 35, 10, 0)).toEqual({ start: 2, end: 3 });
    expect(rowsInView(offsets, 35, 30, 0)).toEqual({ start: 2, end: 4 });
    expect(rowsInView(offsets, 35, 10, 30)).toEqual({ start: 0, end: 4 });
  });

  it('are none in an empty list, and the last one beyond the end', () => {
    expect(rowsInView(new Float64Array(1), 0, 100, 50)).toEqual({ start: 0, end: 0 });
    expect(
      rowsInView(
        offsetsOf([1, 1], () => 10, 0),
        500,
        100,
        0,
      ),
    ).toEqual({ start: 1, end: 2 });
  });

  it('are placed by the estimated height of rows that were not measured', () => {
    expect([...offsetsOf([1, 2], (row) => (row === 1 ? 7 : undefined), 60)]).toEqual([0, 7, 67]);
  });

  it('cover the view for any heights', () => {
    const heights = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        heights,
        fc.nat(40_000),
        fc.integer({ min: 1, max: 900 }),
        (rows, top, height) => {
          const offsets = offsetsOf(rows, (row) => row, 0);
          const total = offsets[rows.length] ?? 0;
          const { start, end } = rowsInView(offsets, top, height, 0);
          expect(start).toBeLessThan(end);
          expect(offsets[start]).toBeLessThanOrEqual(top);
          expect(offsets[end]).toBeGreaterThanOrEqual(Math.min(total, top + height));
          expect(rowAt(offsets, top)).toBe(start);
        },
      ),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { createPageText, encodePieces, resultText, stepsOf } from './page-text.ts';

const mib = 1_048_576;
const sized = (sizes: readonly number[]) =>
  sizes.map((bytes, index) => ({ seq: index + 1, bytes }));
const textOf = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks).toString();

describe('the steps of a page', () => {
  it('hold the first rows that fit, and no step loads more than a statement may', () => {
    const steps = stepsOf(sized(Array.from({ length: 1000 }, () => 50_000)), 8 * mib);
    expect(steps.flat()).toHaveLength(Math.floor((8 * mib) / 50_000));
    expect(steps.flat().map(({ seq }) => seq)).toEqual(
      steps.flat().map((_row, index) => index + 1),
    );
    for (const step of steps) {
      expect(step.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(mib / 4);
    }
    expect(
      stepsOf(sized(Array.from({ length: 300 }, () => 1)), mib, 32).map((s) => s.length),
    ).toEqual([...Array.from({ length: 9 }, () => 32), 12]);
  });

  // A page must not block the event loop, however many reactions its messages have.
  it('hold messages with at most a thousand reactions together, or one message', () => {
    const rows = [400, 600, 1, 999, 1_000, 1_000, 0, 0].map((reactions, index) => ({
      seq: index + 1,
      bytes: 1,
      reactions,
    }));
    const seqs = stepsOf(rows, mib).map((step) => step.map(({ seq }) => seq));
    expect(seqs).toEqual([[1, 2], [3, 4], [5], [6, 7, 8]]);
  });

  it('hold one row even if it exceeds the limit for all of them', () => {
    expect(stepsOf(sized([10, 10]), 1)).toEqual([[{ seq: 1, bytes: 10 }]]);
    expect(stepsOf(sized([9 * mib, 1, 9 * mib]), 8 * mib)).toEqual([[{ seq: 1, bytes: 9 * mib }]]);
    expect(stepsOf([], 100)).toEqual([]);
  });
});

describe('the text of a page', () => {
  it('counts UTF-8 bytes, not characters, and takes at least one row', () => {
    const page = createPageText(10);
    expect(['"語語"', '"x"'].map((row) => page.add([[row]]))).toEqual([true, false]);
    expect([textOf(page.pieces), page.count]).toEqual(['"語語"', 1]);
    expect(createPageText(1).add([['"too long"']])).toBe(true);
    expect(createPageText(1).add([])).toBe(true);
  });

  // A page of megabytes is held as bytes. If it were text, the garbage collector would stop the event loop.
  it.each([
    [false, '[1,"語",3,4]'],
    [true, '[4,3,"語",1]'],
  ])('is one piece of bytes for each statement, reversed: %s', async (isReversed, expected) => {
    const page = createPageText(13, isReversed);
    expect(page.add([['1'], ['"', '語"']])).toBe(true);
    expect(page.add([['3']])).toBe(true);
    expect(page.add([['4'], ['"too long"'], ['5']])).toBe(false);
    expect(page.add([['5']])).toBe(false);
    expect([page.pieces.length, page.count]).toEqual([3, 4]);
    const answer = await encodePieces(resultText('rows', page.pieces, () => ({})));
    expect(textOf(answer)).toBe(`{"rows":${expected}}`);
    expect(answer.slice(1, -1).every((piece, index) => piece === page.pieces[index])).toBe(true);
    for (const { buffer, byteLength } of answer) expect(buffer.byteLength).toBe(byteLength);
  });

  it.each([
    [[], {}, '{"rows":[]}'],
    [['1'], {}, '{"rows":[1]}'],
    [['1', ',{"a":2}'], { head: 3, hasMore: true }, '{"rows":[1,{"a":2}],"head":3,"hasMore":true}'],
  ])('is the JSON of its result: %j %j', async (rows, rest, json) => {
    expect(textOf(await encodePieces(resultText('rows', rows, () => rest)))).toBe(json);
  });

  it('is encoded in pieces, with a turn of the event loop between them', async () => {
    const rows = Array.from({ length: 100 }, (_, index) =>
      JSON.stringify('語'.repeat(30_000) + index),
    );
    const texts = rows.map((row, index) => (index > 0 ? `,${row}` : row));
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const chunks = await encodePieces(resultText('rows', texts, () => ({})));
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(chunks.length - 1);
    expect(Math.max(...chunks.map(({ byteLength }) => byteLength))).toBeLessThan(mib);
    expect(JSON.parse(textOf(chunks))).toEqual({ rows: rows.map((row) => JSON.parse(row)) });
    // A worker transfers the pieces, so their memory must not be shared.
    for (const { buffer, byteLength } of chunks) expect(buffer.byteLength).toBe(byteLength);
  });
});

import { describe, expect, it } from '@jest/globals';
import { encodePieces } from './page-text.ts';
import { listText } from './reading.ts';

describe('a list', () => {
  // Two hundred channels with long topics and metadata take milliseconds to serialize, so other work must run in
  // between.
  it('serializes at most about a quarter of a megabyte in a turn of the event loop', async () => {
    const text = '\u0001'.repeat(2_000);
    const rows = Array.from({ length: 201 }, (_, index) => index);
    const ofTurns = [0];
    let isOver = false;
    const nextTurn = () => {
      ofTurns.push(0);
      if (!isOver) setImmediate(nextTurn);
    };
    setImmediate(nextTurn);
    const objectOf = (id: number) => {
      ofTurns.push((ofTurns.pop() ?? 0) + 1);
      return { id, text };
    };
    const list = listText('rows', rows, { limit: 200, maxBytes: 8_388_608 }, objectOf, String);
    const answer = Buffer.concat(await encodePieces(list.text)).toString();
    isOver = true;
    expect(JSON.parse(answer)).toEqual({
      rows: rows.slice(0, 200).map((id) => ({ id, text })),
      nextCursor: '199',
    });
    const rowsOfPiece = Math.ceil(262_144 / 12_000);
    expect(Math.max(...ofTurns)).toBeLessThanOrEqual(2 * rowsOfPiece);
  });
});

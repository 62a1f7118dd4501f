import { describe, expect, it } from '@jest/globals';
import { closeCodes, encodeCloseReason, parseCloseReason } from './close-codes.ts';
import { errorCodes, rpcErrorCodes } from './errors.ts';

describe('close codes', () => {
  it('the table holds each code of the wire contract once, with a name and a meaning', () => {
    expect(Object.keys(closeCodes).map(Number)).toEqual([4400, 4401, 4403, 4408, 4413, 4429, 4503]);
    const rows = Object.values(closeCodes);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    for (const { meaning } of rows) expect(meaning).toMatch(/\.$/);
  });

  it('a reason holds the delay before the reconnect, and any other text holds none', () => {
    expect(encodeCloseReason(1500)).toBe('{"afterMs":1500}');
    expect(parseCloseReason(encodeCloseReason(1500))).toBe(1500);
    for (const reason of ['', 'bye', 'null', '{}', '{"afterMs":"1"}', '{"afterMs":-1}']) {
      expect(parseCloseReason(reason)).toBeNull();
    }
  });
});

describe('error codes', () => {
  it('are those of the wire contract', () => {
    expect(errorCodes).toEqual([
      'unauthorized',
      'forbidden',
      'not_found',
      'conflict',
      'archived',
      'frozen',
      'paused',
      'superseded',
      'rate_limited',
      'too_large',
      'unsupported',
      'unavailable',
      'timeout',
      'internal',
    ]);
    expect(Object.values(rpcErrorCodes)).toEqual([-32700, -32600, -32601, -32602, -32000]);
  });
});

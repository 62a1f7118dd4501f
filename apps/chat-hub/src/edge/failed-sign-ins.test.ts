import { beforeEach, describe, expect, it } from '@jest/globals';
import { createFailedSignIns } from './failed-sign-ins.ts';

let nowMs: number;
beforeEach(() => {
  nowMs = 0;
});
const create = () =>
  createFailedSignIns({ burst: 3, perSecond: 2, maxAddresses: 2, clock: () => nowMs });

describe('failed sign-ins', () => {
  it('block an address after a burst, until one of them has leaked away', () => {
    const failures = create();
    for (let i = 0; i < 3; i++) {
      expect(failures.blockedForMs('a')).toBeNull();
      failures.recordFailure('a');
    }
    expect(failures.blockedForMs('a')).toBe(500);
    expect(failures.blockedForMs('b')).toBeNull();
    nowMs += 500;
    expect(failures.blockedForMs('a')).toBeNull();
    failures.recordFailure('a');
    expect(failures.blockedForMs('a')).toBe(500);
    nowMs += 1_500;
    for (let i = 0; i < 3; i++) failures.recordFailure('a');
    expect(failures.blockedForMs('a')).toBe(500);
  });

  // The race: a thousand sign-ins are in flight when the first one fails. Invariant: the block has a bounded length.
  it('that were in flight together block the address for no longer than two bursts take to leak away', () => {
    const failures = create();
    for (let i = 0; i < 1_000; i++) failures.recordFailure('a');
    expect(failures.blockedForMs('a')).toBe(2_000);
  });

  it('are remembered for at most maxAddresses addresses', () => {
    const failures = create();
    for (const address of ['a', 'b', 'c'])
      for (let i = 0; i < 3; i++) failures.recordFailure(address);
    expect(['a', 'b', 'c'].map((address) => failures.blockedForMs(address))).toEqual([
      null,
      500,
      500,
    ]);
  });

  const token = (text: string) => ({ token: text, devAgent: null, devKind: null, devRole: null });

  it('do not block credentials that were accepted before, until these fail too', () => {
    const failures = create();
    failures.recordSuccess(token('good'));
    for (let i = 0; i < 6; i++) failures.recordFailure('a', token('bad'));
    expect(failures.blockedForMs('a', token('good'))).toBeNull();
    expect(failures.blockedForMs('a', token('new'))).toBeGreaterThan(0);
    failures.recordFailure('a', token('good'));
    expect(failures.blockedForMs('a', token('good'))).toBeGreaterThan(0);
  });

  it('remember the maxGood most recently used credentials', () => {
    const failures = createFailedSignIns({ burst: 1, maxGood: 2, clock: () => nowMs });
    for (const text of ['one', 'two', 'one', 'three']) failures.recordSuccess(token(text));
    failures.recordFailure('a');
    const blocked = ['one', 'two', 'three'].map((text) => failures.blockedForMs('a', token(text)));
    expect(blocked).toEqual([null, expect.any(Number), null]);
  });
});

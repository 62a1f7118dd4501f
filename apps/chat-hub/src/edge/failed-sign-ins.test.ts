import { beforeEach, describe, expect, it } from '@jest/globals';
import { createFailedSignIns } from './failed-sign-ins.ts';

let nowMs: number;
beforeEach(() => {
  nowMs = 0;
});
const create = () =>
  createFailedSignIns({ burst: 3, perSecond: 2, maxAddresses: 2, clock: () => nowMs });

describe('failed sign-ins', () => {
  it('hold an address back after a burst, until one is forgiven', () => {
    const failures = create();
    for (let i = 0; i < 3; i++) {
      expect(failures.heldForMs('a')).toBeNull();
      failures.failed('a');
    }
    expect(failures.heldForMs('a')).toBe(500);
    expect(failures.heldForMs('b')).toBeNull();
    nowMs += 500;
    expect(failures.heldForMs('a')).toBeNull();
    failures.failed('a');
    expect(failures.heldForMs('a')).toBe(500);
    nowMs += 1_500;
    for (let i = 0; i < 3; i++) failures.failed('a');
    expect(failures.heldForMs('a')).toBe(500);
  });

  // The race: a thousand are under way before the first has failed. Invariant: what holds the address back is bounded.
  it('that were under way together hold it back for no longer than twice the burst takes', () => {
    const failures = create();
    for (let i = 0; i < 1_000; i++) failures.failed('a');
    expect(failures.heldForMs('a')).toBe(2_000);
  });

  it('of so many addresses are remembered and no more', () => {
    const failures = create();
    for (const address of ['a', 'b', 'c']) for (let i = 0; i < 3; i++) failures.failed(address);
    expect(['a', 'b', 'c'].map((address) => failures.heldForMs(address))).toEqual([null, 500, 500]);
  });

  const token = (text: string) => ({ token: text, devAgent: null, devKind: null, devRole: null });

  it('hold back nobody whose credentials were good, until they are no longer', () => {
    const failures = create();
    failures.proved(token('good'));
    for (let i = 0; i < 6; i++) failures.failed('a', token('bad'));
    expect(failures.heldForMs('a', token('good'))).toBeNull();
    expect(failures.heldForMs('a', token('new'))).toBeGreaterThan(0);
    failures.failed('a', token('good'));
    expect(failures.heldForMs('a', token('good'))).toBeGreaterThan(0);
  });

  it('remember so many good credentials, the latest', () => {
    const failures = createFailedSignIns({ burst: 1, maxProved: 2, clock: () => nowMs });
    for (const text of ['one', 'two', 'one', 'three']) failures.proved(token(text));
    failures.failed('a');
    const held = ['one', 'two', 'three'].map((text) => failures.heldForMs('a', token(text)));
    expect(held).toEqual([null, expect.any(Number), null]);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeTurns, encodeTurns, noTurns, refilledBy, takeTurn, type Turns } from './turns.ts';

const nowMs = 1_795_766_400_000;
const none = { agentTurns: null, perMinute: null };

describe('the turns in a row', () => {
  it('are read as they were written, and are null when there are none', () => {
    const count = fc.nat(2 ** 50);
    const turns = fc.record<Turns>({
      ...{ used: count, personAtMs: count, windowAtMs: count },
      ...{ windowUsed: count, pausedUntilMs: count },
    });
    fc.assert(
      fc.property(turns, (written) => {
        expect(decodeTurns(encodeTurns(written))).toEqual(written);
      }),
    );
    expect(encodeTurns(noTurns)).toBeNull();
    expect(encodeTurns({ ...noTurns, used: 10 })).toBe('10');
    expect(encodeTurns(refilledBy(nowMs))).toBe(`0 ${nowMs}`);
    expect(decodeTurns('')).toEqual(noTurns);
  });

  it('are counted without a limit too, so that a budget set later has them', () => {
    let turns = refilledBy(nowMs);
    for (let n = 0; n < 3; n += 1) {
      const taken = takeTurn(turns, none, null, nowMs);
      if (!taken.ok) throw new Error('it was refused');
      ({ turns } = taken);
    }
    expect(turns).toEqual({ ...noTurns, used: 3, personAtMs: nowMs });
    expect(takeTurn(turns, { agentTurns: 3, perMinute: null }, null, nowMs)).toEqual({
      ...{ ok: false, pausedUntilMs: null },
    });
  });

  it('of a window begin again when it is over', () => {
    const byDefault = { limit: 2, windowMs: 1_000 };
    let turns: Turns = noTurns;
    const take = (atMs: number) => {
      const taken = takeTurn(turns, none, byDefault, nowMs + atMs);
      if (taken.ok) ({ turns } = taken);
      return taken.ok ? (taken.exhausted ?? 'ok') : taken.pausedUntilMs;
    };
    expect(take(0)).toBe('ok');
    expect(take(500)).toEqual({ used: 2, pausedUntilMs: nowMs + 1_000 });
    expect(take(999)).toBe(nowMs + 1_000);
    expect(take(1_000)).toBe('ok');
    expect(take(1_100)).toEqual({ used: 4, pausedUntilMs: nowMs + 2_000 });
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { createAdmission, type Admission, type AdmissionOptions } from './admission.ts';

let nowMs: number;
let admission: Admission;

const options: AdmissionOptions = {
  perSecond: 10,
  burst: 3,
  horizonMs: 2_000,
  graceMs: 1_000,
  maxPerName: 2,
  clock: () => nowMs,
};
beforeEach(() => {
  nowMs = 5_000;
  admission = createAdmission(options);
});

const ask = (...names: string[]) => names.map((name) => admission.admit(name).afterMs);

describe('admission', () => {
  it('admits a burst, and gives each further client a slot of its own at the rate', () => {
    expect(ask('a', 'b', 'c', 'd', 'e', 'f')).toEqual([null, null, null, 100, 200, 300]);
  });

  it('admits at the rate afterwards, and at most a burst after a quiet time', () => {
    ask('a', 'b', 'c');
    nowMs += 100;
    expect(ask('d', 'e')).toEqual([null, 100]);
    nowMs += 60_000;
    expect(ask('f', 'g', 'h', 'i')).toEqual([null, null, null, 100]);
  });

  // The race: newcomers take each slot as soon as it is free. A client that returns on time then
  // finds no free slot.
  it('keeps the slot of a client that reconnects on time, however many newcomers come', () => {
    ask('a', 'b', 'c');
    expect(ask('late')).toEqual([100]);
    for (let i = 0; i < 10; i += 1) {
      nowMs += 9;
      expect(ask(`newcomer ${i}`)[0]).toBeGreaterThan(0);
    }
    nowMs += 10;
    expect(ask('another', 'late')).toEqual([expect.any(Number), null]);
  });

  // The race: late clients return just before a client that is on time. The fault: the tokens that were set aside for
  // the late clients did not fit into the full bucket and were lost.
  it('keeps the slot of a client that reconnects on time, when late clients come just before it', () => {
    ask('a', 'b', 'c');
    expect(ask('late 1', 'late 2', 'late 3', 'late 4', 'on time')).toEqual([
      ...[100, 200, 300, 400, 500],
    ]);
    nowMs += 490;
    expect(ask('late 1', 'late 2', 'late 3')).toEqual([200, 300, 400]);
    nowMs += 10;
    expect(ask('on time')).toEqual([null]);
  });

  it('admits a late client when enough tokens are left', () => {
    ask('a', 'b', 'c');
    ask('late');
    nowMs += 900;
    expect(ask('late', 'd', 'e', 'f')).toEqual([null, null, null, 100]);
  });

  it('keeps the slot of a client that comes too early', () => {
    ask('a', 'b', 'c', 'eager');
    nowMs += 40;
    ask('eager');
    nowMs += 60;
    expect(ask('eager')).toEqual([null]);
  });

  it('reserves at most maxPerName slots for one agent', () => {
    ask('a', 'b', 'c');
    expect(ask('agent', 'agent', 'agent', 'agent')).toEqual([100, 200, 200, 200]);
    expect(admission.reserved).toBe(2);
    nowMs += 200;
    expect(ask('agent', 'agent', 'agent')).toEqual([null, null, 100]);
  });

  it('gives an unused slot to others when its grace is over', () => {
    ask('a', 'b', 'c', 'gone', 'gone too', 'gone for good');
    nowMs += 1_050;
    expect(ask('x')).toEqual([100]);
    nowMs += 60;
    expect(ask('y')).toEqual([expect.any(Number)]);
    nowMs += 5_000;
    expect(ask('z', 'z', 'z')).toEqual([null, null, null]);
    expect(admission.reserved).toBe(0);
  });

  it('reserves nothing beyond the horizon, and spreads the times at which to ask again', () => {
    ask('a', 'b', 'c');
    const answers = ask(...Array.from({ length: 60 }, (_, i) => `client ${i}`));
    expect(answers.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) * 100));
    expect(admission.reserved).toBe(20);
    expect(answers.slice(20, 23)).toEqual([2_100, 2_200, 2_300]);
    expect(Math.max(...answers.map(Number))).toBeLessThanOrEqual(4_000);
  });
});

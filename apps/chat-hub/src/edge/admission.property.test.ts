import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createAdmission } from './admission.ts';

type Manner =
  'obeys' | 'never reconnects' | 'reconnects at random' | 'reconnects late, with the others';

interface Client {
  readonly name: string;
  readonly arrivesAtMs: number;
  readonly manner: Manner;
  /** An obedient client reconnects this late: 0 is on time, 1 is the longest delay that the hub must tolerate. */
  readonly lateness: number;
}

const clients = fc.array(
  fc.record({
    arrivesAtMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000 })),
    manner: fc.constantFrom<Manner>('obeys', 'obeys', 'never reconnects', 'reconnects at random'),
    lateness: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { maxLength: 120 },
);
const pace = fc.record({
  perSecond: fc.integer({ min: 1, max: 60 }),
  burst: fc.integer({ min: 2, max: 20 }),
  horizonMs: fc.constantFrom(500, 3_000, 600_000),
});

interface Visit {
  readonly client: Client;
  readonly atMs: number;
  readonly tries: number;
}

function play(
  given: readonly Omit<Client, 'name'>[],
  options: { perSecond: number; burst: number; horizonMs: number },
  { graceMs = 1_000_000, crowdMs = 1 } = {},
) {
  let nowMs = 0;
  const admission = createAdmission({
    ...options,
    graceMs,
    maxPerName: 4,
    clock: () => nowMs,
  });
  const toleratedMs = ((options.burst - 1) * 1_000) / options.perSecond / 2;
  const visits: Visit[] = given.map((client, i) => ({
    client: { ...client, name: `client ${i}` },
    atMs: client.arrivesAtMs,
    tries: 0,
  }));
  const admitted: Visit[] = [];
  const slots: number[] = [];
  let asked = 0;
  let mostReserved = 0;
  for (;;) {
    visits.sort((a, b) => b.atMs - a.atMs);
    const visit = visits.pop();
    if (!visit || (asked += 1) > 20_000) break;
    nowMs = visit.atMs;
    const { client, tries } = visit;
    const { afterMs } = admission.admit(client.name);
    mostReserved = Math.max(mostReserved, admission.reserved);
    if (afterMs === null) {
      admitted.push(visit);
      continue;
    }
    if (afterMs <= options.horizonMs) slots.push(nowMs + afterMs);
    if (client.manner === 'never reconnects') continue;
    const returnsAtMs = {
      obeys: nowMs + afterMs + client.lateness * toleratedMs,
      'reconnects at random': nowMs + 20 + client.lateness * 2 * afterMs,
      'reconnects late, with the others': Math.ceil((nowMs + afterMs) / crowdMs) * crowdMs,
    };
    visits.push({ client, atMs: returnsAtMs[client.manner], tries: tries + 1 });
  }
  return { admitted, slots, mostReserved };
}

describe('admission, for any clients and any behaviour', () => {
  it('admits no more than rate and burst in any window', () => {
    fc.assert(
      fc.property(clients, pace, (given, options) => {
        const times = play(given, options).admitted.map(({ atMs }) => atMs);
        for (let from = 0; from < times.length; from += 1) {
          for (let to = from; to < times.length; to += 1) {
            const windowMs = (times[to] ?? 0) - (times[from] ?? 0);
            const most = options.burst + (windowMs * options.perSecond) / 1_000;
            expect(to - from + 1).toBeLessThanOrEqual(most + 1e-3);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('admits an obedient client at its first return, whatever the others do', () => {
    fc.assert(
      fc.property(clients, pace, (given, options) => {
        const obeying = play(given, { ...options, horizonMs: 600_000 }).admitted.filter(
          ({ client }) => client.manner === 'obeys',
        );
        expect(obeying).toHaveLength(given.filter(({ manner }) => manner === 'obeys').length);
        for (const { tries } of obeying) expect(tries).toBeLessThanOrEqual(1);
      }),
      { numRuns: 150 },
    );
  });

  // The race: late clients return together. The bucket was already full, so the tokens that were set aside for them are
  // lost. Each late client therefore takes a token from a client that is on time.
  it('admits an obedient client at its first return, although late ones return in a crowd before it', () => {
    const crowd = fc.array(
      fc.record({
        arrivesAtMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000 })),
        manner: fc.constantFrom<Manner>('obeys', 'reconnects late, with the others'),
        lateness: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
      }),
      { minLength: 30, maxLength: 120 },
    );
    fc.assert(
      fc.property(crowd, pace, fc.integer({ min: 50, max: 3_000 }), (given, options, crowdMs) => {
        const within = { ...options, horizonMs: 600_000 };
        const obeying = play(given, within, { crowdMs }).admitted.filter(
          ({ client }) => client.manner === 'obeys',
        );
        for (const { tries } of obeying) expect(tries).toBeLessThanOrEqual(1);
      }),
      { numRuns: 150 },
    );
  });

  it('gives no slot twice: slots are as far apart as the rate requires', () => {
    fc.assert(
      fc.property(clients, pace, (given, options) => {
        const obedient = given.map((client) => ({ ...client, manner: 'obeys' as const }));
        const within = { ...options, horizonMs: 600_000 };
        const sorted = play(obedient, within).slots.sort((a, b) => a - b);
        for (const [i, slot] of sorted.entries()) {
          if (i > 0)
            expect(slot - (sorted[i - 1] ?? 0)).toBeGreaterThan(1_000 / options.perSecond - 1.01);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('reserves no more slots than the horizon holds', () => {
    fc.assert(
      fc.property(clients, pace, (given, options) => {
        const graceMs = 100;
        const most = (options.perSecond * (options.horizonMs + graceMs)) / 1_000;
        expect(play(given, options, { graceMs }).mostReserved).toBeLessThanOrEqual(most + 1);
      }),
      { numRuns: 100 },
    );
  });
});

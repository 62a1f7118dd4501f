import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createAdmission } from './admission.ts';

/** How a client behaves that was told to come back. */
type Manner = 'obeys' | 'never comes back' | 'comes back at random';

interface Client {
  readonly name: string;
  readonly arrivesAtMs: number;
  readonly manner: Manner;
  /** How late it is when it obeys, as a part of what the burst forgives. */
  readonly lateness: number;
}

const clients = fc.array(
  fc.record({
    arrivesAtMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000 })),
    manner: fc.constantFrom<Manner>('obeys', 'obeys', 'never comes back', 'comes back at random'),
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

/** Plays all clients against one admission; what the clock says is the time of the visit. */
function play(
  given: readonly Omit<Client, 'name'>[],
  options: { perSecond: number; burst: number; horizonMs: number },
  graceMs = 1_000_000,
) {
  let nowMs = 0;
  const admission = createAdmission({
    ...{ ...options, graceMs, maxPerName: 4 },
    clock: () => nowMs,
  });
  const forgivenMs = ((options.burst - 1) * 1_000) / options.perSecond / 2;
  const visits: Visit[] = given.map((client, i) => ({
    ...{ client: { ...client, name: `client ${i}` }, atMs: client.arrivesAtMs, tries: 0 },
  }));
  const admitted: Visit[] = [];
  const moments: number[] = [];
  let asked = 0;
  let mostKept = 0;
  for (;;) {
    visits.sort((a, b) => b.atMs - a.atMs);
    const visit = visits.pop();
    if (!visit || (asked += 1) > 20_000) break;
    nowMs = visit.atMs;
    const { client, tries } = visit;
    const { afterMs } = admission.ask(client.name);
    mostKept = Math.max(mostKept, admission.kept);
    if (afterMs === null) {
      admitted.push(visit);
      continue;
    }
    if (afterMs <= options.horizonMs) moments.push(nowMs + afterMs);
    if (client.manner === 'never comes back') continue;
    const waitMs =
      client.manner === 'obeys'
        ? afterMs + client.lateness * forgivenMs
        : 20 + client.lateness * 2 * afterMs;
    visits.push({ client, atMs: nowMs + waitMs, tries: tries + 1 });
  }
  return { admitted, moments, mostKept };
}

describe('admission, whoever comes and however they behave', () => {
  it('lets in no more than rate and burst in any window', () => {
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

  it('lets in who obeys at its first return, whatever the others do', () => {
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

  it('names no moment twice: they lie as far apart as the rate says', () => {
    fc.assert(
      fc.property(clients, pace, (given, options) => {
        const obedient = given.map((client) => ({ ...client, manner: 'obeys' as const }));
        const within = { ...options, horizonMs: 600_000 };
        const sorted = play(obedient, within).moments.sort((a, b) => a - b);
        for (const [i, moment] of sorted.entries()) {
          // Each is rounded up to a whole ms on its way to the client.
          if (i > 0)
            expect(moment - (sorted[i - 1] ?? 0)).toBeGreaterThan(1_000 / options.perSecond - 1.01);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('keeps no more places than the horizon holds', () => {
    fc.assert(
      fc.property(clients, pace, (given, options) => {
        const graceMs = 100;
        const most = (options.perSecond * (options.horizonMs + graceMs)) / 1_000;
        expect(play(given, options, graceMs).mostKept).toBeLessThanOrEqual(most + 1);
      }),
      { numRuns: 100 },
    );
  });
});

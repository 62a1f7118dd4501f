import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkHistory, type History } from './history.ts';
import { startHubProcess, type HubProcess } from './hub-process.ts';
import { checkProjections, checkReadState } from './projections.ts';
import { play, type Hubs } from './run.ts';
import { agentIdsOf, killsInFlight, steps, type Names, type Step } from './steps.ts';

const skewsMs = [5 * 60_000, -7 * 60_000];

export interface ModelOptions {
  readonly numRuns: number;
  readonly budgetMs: number;
  /**
   * On SQLite, the clock of the committing hub gives the times of messages. Elsewhere, the clock of the database server
   * does.
   */
  readonly keepsTime: 'hub' | 'server';
}

/**
 * Several agents write on two hub processes at once, sometimes a hub is killed, and the clocks differ by minutes. The
 * answers and the database must be as the model allows. fast-check prints the seed of a failed run, but the same
 * steps may interleave differently. On a busy machine the runs end after `budgetMs`.
 */
export function describeStoreModel(
  engine: string,
  start: () => Promise<{ readonly url: string; stop(): Promise<void> }>,
  { numRuns, budgetMs, keepsTime }: ModelOptions,
): void {
  describe(`two hubs on ${engine} under any interleaving of writes, kills and clocks`, () => {
    let server: Awaited<ReturnType<typeof start>>;
    const running: HubProcess[] = [];
    let spares: Promise<HubProcess>[] = [];
    let replacements = 0;
    let lost = 0;
    let runs = 0;
    let startedMs = 0;
    const valid: History[] = [];
    /** Holds the differences, in minutes, between the events' times and the real time. */
    const minutesOff = new Set<number>();

    const startHub = (index: number) => startHubProcess(server.url, skewsMs[index] ?? 0);
    const hubs: Hubs = {
      at(index) {
        const hub = running[index];
        if (!hub) throw new Error(`there is no hub ${index}`);
        return hub;
      },
      async replace(index) {
        await hubs.at(index).kill();
        const spare = await spares[index];
        if (!spare) throw new Error(`there is no spare hub ${index}`);
        running[index] = spare;
        spares[index] = startHub(index);
        replacements += 1;
      },
      get replacements() {
        return replacements;
      },
    };

    beforeAll(async () => {
      server = await start();
      running.push(await startHub(0));
      running.push(await startHub(1));
      spares = [startHub(0), startHub(1)];
      await Promise.all(spares);
    }, 60_000);
    afterAll(async () => {
      await Promise.all([...running, ...(await Promise.all(spares))].map((hub) => hub.kill()));
      await server.stop();
    });

    async function holds(played: readonly Step[]): Promise<void> {
      if (performance.now() - startedMs > budgetMs) return;
      runs += 1;
      const [run, one, other] = ['run', 'public', 'private'].map(
        (name) => `${name}-${randomUUID()}`,
      );
      const names: Names = {
        agent: (name) => `${name}-${run}`,
        channels: [one ?? '', other ?? ''],
      };
      const histories = await play(played, names, hubs);
      const ended = histories.map((history) => ({
        ...history,
        state: checkHistory(history).at(-1)!,
      }));
      for (const index of [0, 1]) {
        for (const { channelId, state } of ended) {
          await checkProjections(hubs.at(index), channelId, state);
        }
        for (const agentId of agentIdsOf(names)) {
          await checkReadState(hubs.at(index), agentId, ended);
        }
      }
      lost += histories.flatMap(({ calls }) => calls).filter(({ outcome }) => !outcome).length;
      for (const { timestamp } of histories.flatMap(({ log }) => log)) {
        minutesOff.add(Math.round((timestamp - Date.now()) / 60_000));
      }
      valid.push(...histories.filter(({ log }) => log.length > 5));
    }

    it(
      'store what the model says, each event once and in one order, and report nothing else',
      async () => {
        startedMs = performance.now();
        await fc.assert(fc.asyncProperty(steps, holds), {
          numRuns,
          endOnFailure: true,
          examples: [[killsInFlight]],
        });
        // Proves that hubs were killed during calls, and that the clock of `keepsTime` gave the times.
        expect([replacements > 0, lost > 0, runs > 3]).toEqual([true, true, true]);
        const clocks = keepsTime === 'hub' ? [5, -7] : [0];
        expect([...minutesOff].sort()).toEqual(clocks.sort());
      },
      budgetMs + 30_000,
    );

    // Negative control: each history with one change is refused.
    it('would be detected if one event were lost, doubled, moved, changed or never returned', () => {
      expect(valid.length).toBeGreaterThan(0);
      for (const history of valid) {
        const { log, calls } = history;
        const renumbered = (events: History['log']) =>
          events.map((event, index) => ({ ...event, seq: index + 1 }));
        const swapped = [...log];
        [swapped[1], swapped[2]] = [log[2]!, log[1]!];
        const forged = log.map((event, index) =>
          index === 1 ? { ...event, senderId: 'somebody else' } : event,
        );
        const told = calls.findIndex(({ outcome }) => outcome?.ok && outcome.events.length > 0);
        const wrong: Record<string, History> = {
          'lost at the end': { ...history, log: log.slice(0, -1) },
          'lost in between': { ...history, log: renumbered(log.filter((_, index) => index !== 2)) },
          doubled: { ...history, log: renumbered([...log.slice(0, 3), ...log.slice(2)]) },
          moved: { ...history, log: renumbered(swapped) },
          forged: { ...history, log: forged },
          'refused wrongly': {
            ...history,
            calls: calls.map((made, index) =>
              index === told
                ? { ...made, outcome: { ok: false, code: 'forbidden', message: '' } as const }
                : made,
            ),
          },
        };
        for (const [what, changed] of Object.entries(wrong)) {
          // A lost event cannot be detected if no agent saw its acknowledgment.
          const isUntold = what.startsWith('lost') && calls.some(({ outcome }) => !outcome);
          if (isUntold) continue;
          expect([what, isRefused(changed)]).toEqual([what, true]);
        }
      }
    });
  });
}

function isRefused(history: History): boolean {
  try {
    checkHistory(history);
    return false;
  } catch {
    return true;
  }
}

import { incidentNotes, membersOf, withFleet } from './run-fleet.ts';
import type { Load } from './load.ts';
import type { Work } from './work.ts';

const awayMs = [100, 3_000] as const;
const settleMs = 10_000;

export function dropsWork(name: string, load: Load): Work {
  const place = load.channels === 1 ? 'one channel' : `${load.channels} channels`;
  return {
    name,
    description: `${load.agents} agents in ${place}, ${load.perSecond} messages/s; every second socket is cut at a random time and is back ${awayMs[0] / 1_000} to ${awayMs[1] / 1_000} s later`,
    columns: [
      { key: 'accepted', title: 'messages accepted', digits: 0 },
      { key: 'cuts', title: 'cuts', digits: 0 },
      { key: 'lost', title: 'deliveries lost', digits: 0 },
      { key: 'doubled', title: 'doubled', digits: 0 },
      { key: 'positionsLost', title: 'recoveries refused', digits: 0 },
    ],
    comparedBy: null,
    run: (system, { durationMs, contentBytes, signal }) =>
      withFleet(
        system,
        membersOf(load.agents, load.channels),
        { readsFrames: true, signal },
        async (fleet) => {
          const result = await fleet.runDrops({
            perSecond: load.perSecond,
            contentBytes,
            drainMs: settleMs,
            durationMs: durationMs + awayMs[1],
            awayMs,
          });
          return { values: { ...result }, notes: incidentNotes(await fleet.incidents()) };
        },
      ),
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import { incidentNotes, membersOf, withFleet } from './run-fleet.ts';
import type { Work } from './work.ts';

const perSecond = 100;
const drainMs = 20_000;
const allBackTimeoutMs = 120_000;

export function stormWork(sockets: number): Work {
  return {
    name: 'storm',
    description: `the server is stopped and started under ${sockets.toLocaleString('en')} sockets, 20 to a channel, with ${perSecond} messages/s; seconds from the signal that stops it`,
    columns: [
      { key: 'readySeconds', title: 'ready again s', digits: 1 },
      { key: 'allBackSeconds', title: 'all back s', digits: 1 },
      { key: 'accepted', title: 'messages accepted', digits: 0 },
      { key: 'lost', title: 'deliveries lost', digits: 0 },
      { key: 'doubled', title: 'doubled', digits: 0 },
      { key: 'positionsLost', title: 'recoveries refused', digits: 0 },
    ],
    comparedBy: 'allBackSeconds',
    run: (system, { durationMs, contentBytes, signal }) =>
      withFleet(
        system,
        membersOf(sockets, sockets / 20),
        { readsFrames: true, signal },
        async (fleet, running) => {
          await fleet.beginSending({ perSecond, contentBytes, drainMs });
          await delay(durationMs / 2, undefined, { signal });
          const startMs = performance.now();
          const seconds = () => (performance.now() - startMs) / 1_000;
          const allBack = fleet.untilAllBack(allBackTimeoutMs).then(seconds);
          // If the restart fails, only the error of the restart is reported.
          allBack.catch(() => undefined);
          await running.restart();
          const readySeconds = seconds();
          const allBackSeconds = await allBack;
          await delay(durationMs / 2, undefined, { signal });
          const result = await fleet.finishSending();
          const { refused, firstRefusal } = await fleet.incidents();
          return {
            values: { ...result, readySeconds, allBackSeconds },
            // The restart ends every connection once, so these closes are no incidents.
            notes: incidentNotes({ refused, firstRefusal, closes: 0 }),
          };
        },
      ),
  };
}

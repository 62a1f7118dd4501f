// Runs a fleet in a worker thread.
import { parentPort, workerData } from 'node:worker_threads';
import { createFleet, type Fleet, type FleetSetup } from './fleet.ts';
import type { FleetAnswer, FleetCall } from './worker-fleet.ts';

const fleet: Fleet = createFleet(workerData as FleetSetup);

parentPort?.on('message', ({ id, method, args }: FleetCall) => {
  const answer = (message: Omit<FleetAnswer, 'id'>) => parentPort?.postMessage({ id, ...message });
  const called = fleet as unknown as Record<
    string,
    (...args: readonly unknown[]) => Promise<unknown>
  >;
  (called[method]?.(...args) ?? Promise.resolve()).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
  );
});

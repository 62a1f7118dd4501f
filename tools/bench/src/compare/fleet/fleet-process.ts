// Runs the clients in a separate process, so that neither the servers nor the report delays them.
import { createFleet, type Fleet, type FleetSetup } from './fleet.ts';
import type { FleetAnswer, FleetMessage } from './fleet-proxy.ts';

let fleet: Fleet | null = null;

async function answer(message: FleetMessage): Promise<unknown> {
  if (message.method === 'create') {
    fleet = createFleet(message.args[0] as FleetSetup);
    return undefined;
  }
  const methods = fleet as unknown as Record<
    string,
    (...args: readonly unknown[]) => Promise<unknown>
  >;
  return methods[message.method]?.(...message.args);
}

process.on('message', (message: FleetMessage) => {
  const { id } = message;
  const send = (reply: FleetAnswer) => process.send?.(reply);
  answer(message).then(
    (result) => send({ id, result }),
    (error: unknown) => send({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
// A terminal sends Ctrl-C to this process too, but the parent decides when this process ends.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));

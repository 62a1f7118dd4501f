import { useState } from 'preact/hooks';
import type { Credentials } from '../../session/credentials.ts';
import { OperationsRefused, readFleet, type FleetAgent } from '../../session/operations-request.ts';
import { usePolling } from '../operations/operations-api.ts';

const everyMs = 3_000;

export interface FleetAnswer {
  readonly agents: readonly FleetAgent[] | null;
  readonly problem: string | null;
  readonly receivedAtMs: number | null;
}

/** Reads the agents of all hubs every three seconds. Polling ends when the hub refuses the view to this reader. */
export function useFleet(credentials: Credentials): FleetAnswer {
  const [answer, setAnswer] = useState<FleetAnswer>({
    ...{ agents: null, problem: null, receivedAtMs: null },
  });
  const [isRefused, setRefused] = useState(false);
  const poll = async () => {
    if (isRefused) return;
    try {
      const agents = await readFleet(credentials);
      setAnswer({ agents, problem: null, receivedAtMs: Date.now() });
    } catch (error) {
      if (error instanceof OperationsRefused) setRefused(true);
      setAnswer((before) => ({ ...before, problem: (error as Error).message }));
    }
  };
  usePolling(poll, everyMs, [credentials, isRefused]);
  return answer;
}

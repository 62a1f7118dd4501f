import { signal, type ReadonlySignal } from '@preact/signals';
import type { Credentials } from './credentials.ts';
import { readConnected } from './operations-request.ts';

/**
 * The ids of agents that share no channel with the reader, as far as the hub names them. Empty until `load` was called,
 * and for readers to whom the hub names none.
 */
export function createKnownPeople(credentials: Credentials) {
  const ids = signal<ReadonlySet<string>>(new Set());
  return {
    ids: ids as ReadonlySignal<ReadonlySet<string>>,
    /** Never rejects: without the hub's list, the reader still finds the agents of its own channels. */
    async load(): Promise<void> {
      const agents = await readConnected(credentials).catch(() => []);
      ids.value = new Set([...ids.peek(), ...agents.map(({ agentId }) => agentId)]);
    },
  };
}

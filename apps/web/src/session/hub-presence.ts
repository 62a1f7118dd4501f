import { signal } from '@preact/signals';
import type { Credentials } from './credentials.ts';
import { OperationsRefused, readConnected, type ConnectedAgent } from './operations-request.ts';

const readEveryMs = 4_000;

/**
 * The connected agents of the hub, by id. While a view needs them, the page requests them every four seconds. Only this
 * list has the presence of agents that share no channel with the reader. Null before the first answer, after a failed
 * request, and for readers who are no admins.
 */
export function createHubPresence(credentials: Credentials, isNeeded: () => boolean) {
  const connected = signal<ReadonlyMap<string, ConnectedAgent> | null>(null);
  let isReading = false;
  let isRefused = false;

  async function read() {
    if (isReading || isRefused || document.visibilityState !== 'visible' || !isNeeded()) return;
    isReading = true;
    try {
      const agents = await readConnected(credentials);
      connected.value = new Map(agents.map((agent) => [agent.agentId, agent]));
    } catch (error) {
      isRefused = error instanceof OperationsRefused;
      connected.value = null;
    } finally {
      isReading = false;
    }
  }

  const timer = setInterval(() => void read(), readEveryMs);
  return { connected, read, close: () => clearInterval(timer) };
}

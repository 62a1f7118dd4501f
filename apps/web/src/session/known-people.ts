import { signal, type ReadonlySignal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import { allPages } from '../store/all-pages.ts';
import type { Credentials } from './credentials.ts';
import { readConnected } from './operations-request.ts';

const pageSize = 200;

/**
 * For an admin, the hub lists all agents; for others, the agents that share a channel with the reader. Empty until
 * `load` was called.
 */
export function createKnownPeople(client: HubClient, credentials: Credentials) {
  const ids = signal<ReadonlySet<string>>(new Set());
  // A hub in dev mode shows all connected agents to every reader.
  const connected = async () => (credentials.kind === 'name' ? readConnected(credentials) : []);
  const listed = async () => {
    const list = (page: { cursor: string | null }) =>
      client.call('agent.list', { ...page, limit: pageSize });
    return (await allPages(list, 'agents')).items;
  };
  return {
    ids: ids as ReadonlySignal<ReadonlySet<string>>,
    /**
     * Never rejects. Without the hub's lists, the reader still finds the agents of the channels
     * that were opened.
     */
    async load(): Promise<void> {
      const lists = await Promise.allSettled([listed(), connected()]);
      const found = lists.flatMap((list) =>
        list.status === 'fulfilled' ? list.value.map(({ agentId }) => agentId) : [],
      );
      ids.value = new Set([...ids.peek(), ...found]);
    },
  };
}

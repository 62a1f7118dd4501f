import { useState } from 'preact/hooks';
import type { OperationsAgents } from '@openclaw/protocol';
import type { Credentials } from '../../session/credentials.ts';
import { allPages } from '../../store/all-pages.ts';
import { askOperations } from './operations-api.ts';
import { usePolled } from './use-polled.ts';

/** An agent with a socket on the hub. */
export type ConnectedAgent = OperationsAgents['agents'][number];

const everyMs = 3_000;
const pageSize = '200';

/** Who is connected to the hub that serves the page, the first 2,000 of them; read anew every three seconds. */
export function useConnected(credentials: Credentials): readonly ConnectedAgent[] {
  const [connected, setConnected] = useState<readonly ConnectedAgent[]>([]);
  usePolled(
    async () => {
      try {
        const { items } = await allPages(async (cursor) => {
          const query = { limit: pageSize, ...(cursor !== null && { cursor }) };
          const page = await askOperations<OperationsAgents>(credentials, '/agents', query);
          if ('problem' in page) throw new Error(page.problem);
          return { items: page.value.agents, nextCursor: page.value.nextCursor };
        });
        setConnected(items);
      } catch {
        // The view's own snapshot says what is wrong; those found before stay.
      }
    },
    everyMs,
    [credentials],
  );
  return connected;
}

import { useState } from 'preact/hooks';
import type { OperationsAgents } from '@openclaw/protocol';
import type { Credentials } from '../session/credentials.ts';
import { askOperations } from './ask-operations.ts';
import { usePolled } from './use-polled.ts';

/** An agent with a socket on the hub. */
export type ConnectedAgent = OperationsAgents['agents'][number];

const everyMs = 3_000;
const pageSize = '200';
const pagesMax = 10;

/** Who is connected to the hub that serves the page, the first 2,000 of them; read anew every three seconds. */
export function useConnected(credentials: Credentials): readonly ConnectedAgent[] {
  const [connected, setConnected] = useState<readonly ConnectedAgent[]>([]);
  usePolled(
    async () => {
      const found: ConnectedAgent[] = [];
      let cursor: string | null = '';
      for (let page = 0; page < pagesMax && cursor !== null; page += 1) {
        const query: Record<string, string> = { limit: pageSize };
        if (cursor !== '') query.cursor = cursor;
        const answer = await askOperations<OperationsAgents>(credentials, '/agents', query);
        // The view's own snapshot says what is wrong; those found before stay.
        if ('problem' in answer) return;
        found.push(...answer.value.agents);
        cursor = answer.value.nextCursor;
      }
      setConnected(found);
    },
    everyMs,
    [credentials],
  );
  return connected;
}

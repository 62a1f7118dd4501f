import { useRef, useState } from 'preact/hooks';
import type { Operations } from '@openclaw/protocol';
import type { Credentials } from '../../session/credentials.ts';
import { readOperations } from '../../session/operations-request.ts';
import { historyMs, withRows } from './history.ts';
import { usePolling } from './operations-api.ts';

type Rows = NonNullable<Operations['history']>['minutes'];

const everyMs = 15_000;
/**
 * Each poll reads this period again, because hubs write the rows of past minutes late after an outage of the database.
 */
const overlapMs = 600_000;
const pagesMax = 30;

/** Covers the last 24 hours of all hubs, oldest first. Null until the minutes are read, or when the hub has none. */
export function useHistory(credentials: Credentials): Rows | null {
  const [rows, setRows] = useState<Rows | null>(null);
  const newestMs = useRef<number | null>(null);
  const poll = async () => {
    let since: number | null =
      newestMs.current === null ? Date.now() - historyMs : newestMs.current - overlapMs;
    try {
      for (let page = 0; since !== null && page < pagesMax; page += 1) {
        const { history }: Operations = await readOperations<Operations>(credentials, '', {
          since: String(since),
        });
        if (history == null) return;
        setRows((known) => withRows(known ?? [], history.minutes, Date.now()));
        newestMs.current = history.minutes.at(-1)?.at ?? newestMs.current;
        since = history.nextSince;
      }
    } catch {
      // The poll of the snapshot fails too, and shows the problem.
    }
  };
  usePolling(poll, everyMs, [credentials]);
  return rows;
}

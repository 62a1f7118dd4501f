import { useEffect, useState } from 'preact/hooks';
import type { Operations, OperationsAgents } from '@openclaw/protocol';
import { hubAddress } from '../../page/page-base.ts';
import type { Credentials } from '../../session/credentials.ts';
import { allPages } from '../../store/all-pages.ts';
import { sampleOf, withSample, type Sample } from './samples.ts';

const timeoutMs = 5_000;
const snapshotEveryMs = 1_000;
const agentsEveryMs = 3_000;

/** An agent with a socket on the hub. */
export type ConnectedAgent = OperationsAgents['agents'][number];

export interface Snapshots {
  readonly newest: Operations | null;
  readonly samples: readonly Sample[];
  /** The reason why the last poll failed; null when it succeeded. */
  readonly problem: string | null;
}

/** Reads `/v1/operations` followed by `path`. Rejects with a text for the reader. */
async function readOperations<T>(
  credentials: Credentials,
  path = '',
  query: Readonly<Record<string, string>> = {},
): Promise<T> {
  const isByName = credentials.kind === 'name';
  const identity = isByName ? { agent: credentials.agentId, kind: 'person' } : {};
  const params = new URLSearchParams({ ...query, ...identity });
  const headers = isByName ? {} : { authorization: `Bearer ${credentials.token}` };
  const signal = AbortSignal.timeout(timeoutMs);
  const unreachable = () => {
    throw new Error('The hub cannot be reached.');
  };
  const url = hubAddress(`v1/operations${path}?${params}`);
  const response = await fetch(url, { headers, signal }).catch(unreachable);
  const { status } = response;
  if (status === 401 || status === 403) throw new Error('This view is for admins only.');
  if (status === 404) throw new Error('The version of this hub has no operations view.');
  if (!response.ok) throw new Error(`The hub answered with status ${status}.`);
  return (await response.json().catch(unreachable)) as T;
}

/** Calls `poll` now, and again `everyMs` after each call ends, while the page is visible. */
function usePolling(poll: () => Promise<void>, everyMs: number, inputs: readonly unknown[]) {
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async () => {
      if (document.visibilityState === 'visible') await poll();
      if (!isOver) timer = setTimeout(() => void turn(), everyMs);
    };
    void turn();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, inputs);
}

/** A snapshot of the hub every second. */
export function useSnapshots(credentials: Credentials): Snapshots {
  const [state, setState] = useState<Snapshots>({ newest: null, samples: [], problem: null });
  const poll = async () => {
    try {
      const newest = await readOperations<Operations>(credentials);
      setState((before) => {
        const sample = sampleOf(newest, before.newest);
        return { newest, samples: withSample(before.samples, sample), problem: null };
      });
    } catch (error) {
      setState((before) => ({ ...before, problem: (error as Error).message }));
    }
  };
  usePolling(poll, snapshotEveryMs, [credentials]);
  return state;
}

/** The agents on the hub that serves the page, at most 2,000; read every three seconds. */
export function useConnected(credentials: Credentials): readonly ConnectedAgent[] {
  const [connected, setConnected] = useState<readonly ConnectedAgent[]>([]);
  const poll = async () => {
    try {
      const { items } = await allPages(({ cursor }) => {
        const query = { limit: '200', ...(cursor !== null && { cursor }) };
        return readOperations<OperationsAgents>(credentials, '/agents', query);
      }, 'agents');
      setConnected(items);
    } catch {
      // The poll of the snapshot reports the same failure. Agents found earlier stay shown.
    }
  };
  usePolling(poll, agentsEveryMs, [credentials]);
  return connected;
}

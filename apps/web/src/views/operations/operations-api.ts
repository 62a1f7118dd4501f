import { useEffect, useState } from 'preact/hooks';
import type { Operations } from '@openclaw/protocol';
import type { Credentials } from '../../session/credentials.ts';
import {
  readConnected,
  readOperations,
  type ConnectedAgent,
} from '../../session/operations-request.ts';
import { sampleOf, withSample, type Sample } from './samples.ts';

const snapshotEveryMs = 1_000;
const agentsEveryMs = 3_000;

export interface Snapshots {
  readonly newest: Operations | null;
  readonly samples: readonly Sample[];
  readonly problem: string | null;
  readonly receivedAtMs: number | null;
}

/** While the page is visible, calls `poll` now, and again `everyMs` after the end of each call. */
export function usePolling(poll: () => Promise<void>, everyMs: number, inputs: readonly unknown[]) {
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

const noSnapshots: Snapshots = { newest: null, samples: [], problem: null, receivedAtMs: null };
const staleAfterMs = 3_000;

export function useIsStale(receivedAtMs: number | null, afterMs = staleAfterMs): boolean {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return receivedAtMs !== null && nowMs - receivedAtMs > afterMs;
}

export function useSnapshots(credentials: Credentials): Snapshots {
  const [state, setState] = useState<Snapshots>(noSnapshots);
  const poll = async () => {
    try {
      const newest = await readOperations<Operations>(credentials);
      const receivedAtMs = Date.now();
      setState((before) => {
        const sample = sampleOf(newest, before.newest);
        return { newest, samples: withSample(before.samples, sample), problem: null, receivedAtMs };
      });
    } catch (error) {
      setState((before) => ({ ...before, problem: (error as Error).message }));
    }
  };
  usePolling(poll, snapshotEveryMs, [credentials]);
  return state;
}

export function useConnected(credentials: Credentials): readonly ConnectedAgent[] {
  const [connected, setConnected] = useState<readonly ConnectedAgent[]>([]);
  const poll = async () => {
    try {
      setConnected(await readConnected(credentials));
    } catch {
      // The poll of the snapshot reports the failure. The agents of the last answer stay shown.
    }
  };
  usePolling(poll, agentsEveryMs, [credentials]);
  return connected;
}

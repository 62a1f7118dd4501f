import { useEffect, useState } from 'preact/hooks';
import type { Credentials } from '../session/credentials.ts';
import { sampleOf, withSample, type Sample, type Snapshot } from './snapshot.ts';

/** What the operations view draws. */
export interface Snapshots {
  readonly newest: Snapshot | null;
  readonly samples: readonly Sample[];
  /** Why there is nothing newer; null while all is well. */
  readonly problem: string | null;
}

const everyMs = 1_000;
const answerWithinMs = 5_000;

/** Asks the hub for a snapshot each second, while the page is seen. */
export function useSnapshots(credentials: Credentials): Snapshots {
  const [state, setState] = useState<Snapshots>({ newest: null, samples: [], problem: null });
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      if (document.visibilityState === 'visible') {
        const answer = await readSnapshot(credentials);
        if (isOver) return;
        setState((before) => {
          if (typeof answer === 'string') return { ...before, problem: answer };
          const sample = sampleOf(answer, before.newest);
          return { newest: answer, samples: withSample(before.samples, sample), problem: null };
        });
      }
      timer = setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [credentials]);
  return state;
}

async function readSnapshot(credentials: Credentials): Promise<Snapshot | string> {
  const isNamed = credentials.kind === 'name';
  const query = isNamed ? `?agent=${encodeURIComponent(credentials.agentId)}` : '';
  const headers: HeadersInit = isNamed ? {} : { authorization: `Bearer ${credentials.token}` };
  try {
    const signal = AbortSignal.timeout(answerWithinMs);
    const response = await fetch(`/v1/operations${query}`, { headers, signal });
    if (response.status === 401 || response.status === 403) return 'This view is for admins only.';
    if (response.status === 404) return 'This hub is of a version that has no operations view.';
    if (!response.ok) return `The hub answers with ${response.status}.`;
    const snapshot = (await response.json()) as Partial<Snapshot>;
    return { ...snapshot, timestamp: snapshot.timestamp ?? Date.now() };
  } catch {
    return 'The hub cannot be reached.';
  }
}

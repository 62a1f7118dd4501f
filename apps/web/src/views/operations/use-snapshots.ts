import { useState } from 'preact/hooks';
import type { Operations } from '@openclaw/protocol';
import type { Credentials } from '../../session/credentials.ts';
import { askOperations } from './operations-api.ts';
import { sampleOf, withSample, type Sample } from './samples.ts';
import { usePolled } from './use-polled.ts';

/** What the operations view draws. */
export interface Snapshots {
  readonly newest: Operations | null;
  readonly samples: readonly Sample[];
  /** Why there is nothing newer; null while all is well. */
  readonly problem: string | null;
}

const everyMs = 1_000;

/** Asks the hub for a snapshot each second, while the page is seen. */
export function useSnapshots(credentials: Credentials): Snapshots {
  const [state, setState] = useState<Snapshots>({ newest: null, samples: [], problem: null });
  usePolled(
    async () => {
      const answer = await askOperations<Operations>(credentials);
      setState((before) => {
        if ('problem' in answer) return { ...before, problem: answer.problem };
        const newest = answer.value;
        const sample = sampleOf(newest, before.newest);
        return { newest, samples: withSample(before.samples, sample), problem: null };
      });
    },
    everyMs,
    [credentials],
  );
  return state;
}

import { setTimeout as delay } from 'node:timers/promises';

export interface RepeatOptions {
  readonly signal: AbortSignal;
  /** Receives the error of a step that failed before the signal aborted. */
  readonly onError: (error: unknown) => void;
}

/** The pause after a step that failed. */
const retryAfterMs = 2_000;

/** Runs the step again and again until the signal aborts. Never rejects. */
export async function repeatUntilAborted(
  step: () => Promise<void>,
  { signal, onError }: RepeatOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await step();
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await delay(retryAfterMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

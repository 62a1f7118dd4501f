import type { Welcome } from '@openclaw/protocol';
import type { CallOptions } from './calls.ts';
import { HubError } from './errors.ts';

/** What {@link untilReady} listens to. */
export interface ReadySources {
  onWelcome(listener: (welcome: Welcome) => void): () => void;
  onEnd(listener: (error: HubError) => void): () => void;
}

/** The next welcome; rejects when the client ends, at the timeout (none by default) or at the signal. */
export async function untilReady(
  sources: ReadySources,
  { signal, timeoutMs }: CallOptions,
): Promise<Welcome> {
  let done = () => {};
  try {
    return await new Promise<Welcome>((resolve, reject) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own reason
      const onAbort = () => reject(signal?.reason);
      const offWelcome = sources.onWelcome(resolve);
      const offEnd = sources.onEnd(reject);
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              reject(new HubError('timeout', `No connection within ${timeoutMs} ms`));
            }, timeoutMs);
      signal?.addEventListener('abort', onAbort);
      done = () => {
        offWelcome();
        offEnd();
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
    });
  } finally {
    done();
  }
}

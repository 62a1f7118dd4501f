import type { Envelope } from '@openclaw/protocol';
import type { CallMethod } from './calls.ts';
import { HubError, isPassing } from './errors.ts';

const askAgainMs = 1_000;
const pageMax = 1_000;

/** Reads the channel's durable events after a seq, and asks again while the hub cannot answer. @throws at `signal` */
export async function readLogPage(
  call: CallMethod,
  page: { readonly channelId: string; readonly after: number; readonly max: number },
  signal: AbortSignal,
): Promise<readonly Envelope[]> {
  const { channelId, after, max } = page;
  const limit = Math.max(1, Math.min(Math.floor(max), pageMax));
  for (;;) {
    try {
      return (await call('log.read', { channelId, after, limit }, { signal })).events;
    } catch (error) {
      if (!(error instanceof HubError) || !isPassing(error)) throw error;
      await pause(error.retryAfterMs ?? askAgainMs, signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
  signal.throwIfAborted();
}

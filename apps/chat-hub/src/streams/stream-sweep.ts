import { streamAuthorsMax, type ChatStore } from '@openclaw/chat-store';
import type { Logger } from 'pino';
import type { AgentTimes } from '../agent-times.ts';
import type { Writer } from '../channels/writer.ts';

/** One check sweeps at most this many pieces. The next check continues. */
const maxPieces = 20;

/**
 * Interrupts the streams whose author is away, silent or frozen, whichever hub began them. After a start, a loss of the
 * database or a restore, the other hubs first get time to report the authors' connections.
 */
export function startStreamSweep(deps: {
  readonly store: Pick<ChatStore, 'epoch' | 'readStreamAuthors' | 'keepStreams' | 'sweepStreams'>;
  readonly writer: Pick<Writer, 'publishAll'>;
  readonly isConnected: (agentId: string) => boolean;
  readonly times: Pick<AgentTimes, 'streamAwayMs' | 'streamIdleMs' | 'streamCheckMs'>;
  readonly log: Logger;
}) {
  const { store, writer, isConnected, times, log } = deps;
  const { streamAwayMs, streamIdleMs, streamCheckMs } = times;
  let steadySinceMs = performance.now();
  let checkedMs = steadySinceMs;
  let { epoch } = store;
  let running: Promise<void> | null = null;
  let isClosed = false;

  async function check(): Promise<void> {
    const startMs = performance.now();
    // If checks came late or failed, the other hubs may have lost the database too. In a restored database, the last
    // reports of all hubs are old. In both cases the hubs get time to report again.
    if (startMs - checkedMs > 3 * streamCheckMs || store.epoch !== epoch) steadySinceMs = startMs;
    ({ epoch } = store);
    let authors = await store.readStreamAuthors();
    checkedMs = performance.now();
    if (authors.length === 0) return;
    for (;;) {
      await store.keepStreams(authors.filter(isConnected), Math.floor(streamAwayMs / 3));
      if (authors.length < streamAuthorsMax) break;
      authors = await store.readStreamAuthors(authors.at(-1));
    }
    const isSteady = checkedMs - steadySinceMs >= streamAwayMs;
    const awayMs = isSteady ? streamAwayMs : null;
    for (let piece = 0; piece < maxPieces && !isClosed; piece += 1) {
      const events = await store.sweepStreams({ awayMs, idleMs: streamIdleMs });
      if (events.length === 0) return;
      writer.publishAll(events);
      log.debug({ count: events.length }, 'streams were interrupted');
    }
  }

  function run(): void {
    if (isClosed) return;
    running ??= check()
      .catch((error: unknown) => log.debug({ err: error }, 'the streams were not checked'))
      .finally(() => (running = null));
  }

  const timer = setInterval(run, streamCheckMs).unref();
  return {
    /**
     * Checks now. If a check is running, checks once more afterwards, because the running one may miss a new freeze.
     */
    now(): void {
      void running?.then(run);
      run();
    },
    async close(): Promise<void> {
      isClosed = true;
      clearInterval(timer);
      await running;
    },
  };
}

import type { ChatStore, OperationsMinute } from '@openclaw/chat-store';
import type { Operations, OperationsFigures } from '@openclaw/protocol';
import type { Logger } from 'pino';
import { figuresBetween, joinFigures, parseFigures } from './figures.ts';
import type { OperationsView } from './operations.ts';

const sampleEveryMs = 5_000;
/** The minutes of one day. The hub keeps as many while the database is away. */
const pendingMax = 1_440;
const batchSize = 100;
/** Keeps an answer below about 300 KiB. */
const rowsMax = 720;

/**
 * Measures this hub every five seconds and writes each minute to the store, which keeps it for 24 hours. During an
 * outage of the database, the hub keeps the minutes and writes them afterwards. A killed hub loses its last minute.
 */
export function startOperationsHistory(deps: {
  readonly operations: Pick<OperationsView, 'snapshot'>;
  readonly store: Pick<ChatStore, 'recordMinutes' | 'readMinutes'>;
  readonly hubId: string;
  readonly log: Pick<Logger, 'debug'>;
  readonly minuteMs?: number | undefined;
}) {
  const { operations, store, hubId, log, minuteMs = 60_000 } = deps;
  const minuteOf = (atMs: number) => Math.floor(atMs / minuteMs) * minuteMs;
  let before: Operations | null = null;
  let latest: OperationsFigures | null = null;
  let open: { readonly atMs: number; readonly figures: OperationsFigures } | null = null;
  let pending: OperationsMinute[] = [];
  let running: Promise<void> | null = null;

  function endMinute(): void {
    if (open === null) return;
    const { atMs, figures } = open;
    open = null;
    pending = [...pending, { hubId, atMs, figures: JSON.stringify(figures) }].slice(-pendingMax);
  }

  async function write(): Promise<void> {
    while (pending.length > 0) {
      const batch = pending.slice(0, batchSize);
      await store.recordMinutes(batch);
      pending = pending.slice(batch.length);
    }
  }

  async function measure(): Promise<void> {
    const after = await operations.snapshot();
    if (before !== null && after.timestamp > before.timestamp) {
      latest = figuresBetween(before, after);
      const atMs = minuteOf(before.timestamp);
      if (open !== null && open.atMs !== atMs) endMinute();
      open = { atMs, figures: open === null ? latest : joinFigures(open.figures, latest) };
    }
    before = after;
    await write();
  }

  function turn(): Promise<void> {
    running ??= measure()
      .catch((error: unknown) => log.debug({ err: error }, 'minutes of operations still wait'))
      .finally(() => (running = null));
    return running;
  }

  void turn();
  const timer = setInterval(() => void turn(), Math.min(sampleEveryMs, minuteMs / 4));
  timer.unref();

  return {
    latest: () => latest && JSON.stringify(latest),
    /** Returns a page, with the oldest minute first. Null while the database does not answer. */
    async read(sinceMs: number): Promise<NonNullable<Operations['history']> | null> {
      const page = await store.readMinutes(sinceMs, rowsMax).catch(() => null);
      if (page === null) return null;
      const minutes = page.minutes.flatMap(({ hubId, atMs: at, figures }) => {
        const parsed = parseFigures(figures);
        return parsed === null ? [] : [{ hubId, at, figures: parsed }];
      });
      return { minutes, nextSince: page.nextMs };
    },
    async close(): Promise<void> {
      clearInterval(timer);
      await running;
      // `ended` tells operators that the hub was stopped and did not die.
      if (open !== null) open = { ...open, figures: { ...open.figures, ended: true } };
      endMinute();
      await write().catch((error: unknown) =>
        log.debug({ err: error }, 'the last minutes of operations were not written'),
      );
    },
  };
}

export type OperationsHistory = ReturnType<typeof startOperationsHistory>;

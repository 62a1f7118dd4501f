import { parseOptions, type TypingWatchOptions } from './options.ts';
import type { CheckedTyper, Typing } from './typing.ts';

export interface TypingWatchDeps {
  readonly typing: Pick<Typing, 'remainingMs'>;
  /** Called once for each start that ended without a stop. Errors that it throws go to `onError`. */
  readonly onExpired: (channelId: string, agentId: string, threadId: string | null) => void;
  readonly onError?: (error: unknown) => void;
}

/**
 * Reports agents that stopped typing without a stop. When a start is ten seconds old, the watch asks whether the agent
 * still types through another process. If Redis does not answer, the agent counts as stopped: a flickering indicator is
 * better than one that stays.
 */
export interface TypingWatch {
  /** Call it for each start and refresh. */
  started(channelId: string, agentId: string, threadId?: string | null): void;
  stopped(channelId: string, agentId: string, threadId?: string | null): void;
  /** True from a start until a stop or a report. */
  has(channelId: string, agentId: string, threadId?: string | null): boolean;
  readonly size: number;
  close(): void;
}

interface WatchedTyper extends CheckedTyper {
  dueMs: number;
  isChecking: boolean;
}

/**
 * One timer serves all watched agents, and runs only while an agent is watched.
 * @throws {TypingError} `invalid_options`
 */
export function createTypingWatch(
  { typing, onExpired, onError }: TypingWatchDeps,
  options: TypingWatchOptions = {},
): TypingWatch {
  const { ttlMs, tickMs, maxWatched } = parseOptions(options);
  const { clock = () => performance.now() } = options;
  const watched = new Map<string, WatchedTyper>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const keyOf = ({ channelId, agentId, threadId }: CheckedTyper) =>
    `${channelId}:${agentId}:${threadId ?? ''}`;

  function expire(typer: CheckedTyper): void {
    watched.delete(keyOf(typer));
    try {
      onExpired(typer.channelId, typer.agentId, typer.threadId);
    } catch (error) {
      onError?.(error);
    }
  }

  async function tick(): Promise<void> {
    const nowMs = clock();
    const due: WatchedTyper[] = [];
    for (const typer of watched.values()) {
      if (typer.isChecking || typer.dueMs > nowMs) continue;
      typer.isChecking = true;
      due.push(typer);
    }
    if (due.length === 0) return;
    const remaining = await typing.remainingMs(due).catch((error: unknown) => {
      onError?.(error);
      return due.map(() => 0);
    });
    if (closed) return;
    due.forEach((typer, at) => {
      if (watched.get(keyOf(typer)) !== typer) return;
      const leftMs = remaining[at] ?? 0;
      typer.isChecking = false;
      if (leftMs > 0) typer.dueMs = clock() + leftMs;
      else expire(typer);
    });
    stopTimerWhenIdle();
  }

  function stopTimerWhenIdle(): void {
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    get size() {
      return watched.size;
    },
    started(channelId, agentId, threadId = null) {
      if (closed) return;
      const typer = { channelId, agentId, threadId };
      const key = keyOf(typer);
      // A new object replaces the old one, so that a running check of the old object has no effect. The new entry is
      // the last, so the map stays in the order of starts.
      watched.delete(key);
      watched.set(key, { ...typer, dueMs: clock() + ttlMs, isChecking: false });
      if (watched.size > maxWatched) expire(watched.values().next().value!);
      timer ??= setInterval(() => void tick(), tickMs).unref();
    },
    stopped(channelId, agentId, threadId = null) {
      watched.delete(keyOf({ channelId, agentId, threadId }));
      stopTimerWhenIdle();
    },
    has: (channelId, agentId, threadId = null) =>
      watched.has(keyOf({ channelId, agentId, threadId })),
    close() {
      closed = true;
      watched.clear();
      stopTimerWhenIdle();
    },
  };
}

import { parseOptions, type TypingWatchOptions } from './options.ts';
import type { CheckedTyper, Typing } from './typing.ts';

export interface TypingWatchDeps {
  /** A {@link SharedTyping} or a store. */
  readonly typing: Pick<Typing, 'remainingMs'>;
  /** Called once for each start that ended without a stop. An error that it throws is passed to `onError`. */
  readonly onExpired: (channelId: string, agentId: string, threadId: string | null) => void;
  readonly onError?: (error: unknown) => void;
}

/**
 * Reports agents that stopped typing without a stop. Ten seconds after a start, the watch asks whether the agent
 * continued to type through another process. If so, it waits for the remaining time; otherwise it reports the agent
 * once. If Redis does not answer, it also reports the agent, because an indicator that flickers is better than one that
 * stays.
 */
export interface TypingWatch {
  /** Call it for each start and refresh that this process receives. */
  started(channelId: string, agentId: string, threadId?: string | null): void;
  /** Call it for each stop that this process receives. The agent is then not reported any more. */
  stopped(channelId: string, agentId: string, threadId?: string | null): void;
  /** True from a start until a stop or the report of this agent there. */
  has(channelId: string, agentId: string, threadId?: string | null): boolean;
  /** The number of agents that are watched; for metrics. */
  readonly size: number;
  /** Ends the watch; it reports nothing any more. */
  close(): void;
}

interface WatchedTyper extends CheckedTyper {
  dueMs: number;
  isChecking: boolean;
}

/**
 * Creates a {@link TypingWatch}. It has one timer, which runs only while an agent is watched.
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
      // A later start or stop arrived during the check.
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
      // The start gets a new object at the end of the map: a check of the old object is ignored, and the map keeps the
      // order of the starts.
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

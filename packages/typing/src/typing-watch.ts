import { parseOptions, type TypingWatchOptions } from './options.ts';
import type { Typer, Typing } from './typing.ts';

/** What a watch asks and whom it tells. */
export interface TypingWatchDeps {
  /** Where the starts are kept; what {@link createTyping} gives, or an implementation below it. */
  readonly typing: Pick<Typing, 'remainingMs'>;
  /** Called once for each start that was seen and ended without a stop. What it throws is passed to `onError`. */
  readonly onExpired: (channelId: string, agentId: string) => void;
  readonly onError?: (error: unknown) => void;
}

/**
 * Times what it is told has started, so that typing ends for those who watch although nobody said so. Ten seconds
 * after a start it asks whether the agent typed on elsewhere; if so it waits for the rest, else it tells, once. While
 * nobody can be asked it tells: an indicator that flickers is better than one that sticks.
 */
export interface TypingWatch {
  /** A start, or a refresh that was seen. */
  started(channelId: string, agentId: string): void;
  /** A stop that was seen and told: nothing is told again. */
  stopped(channelId: string, agentId: string): void;
  /** How many are watched; for metrics. */
  readonly size: number;
  /** Nothing is told any more. */
  close(): void;
}

interface Watched extends Typer {
  dueMs: number;
  asking: boolean;
}

/**
 * Makes a {@link TypingWatch}. One timer for all, running only while something is watched.
 * @throws {TypingError} `invalid_options`
 */
export function createTypingWatch(
  { typing, onExpired, onError }: TypingWatchDeps,
  options: TypingWatchOptions = {},
): TypingWatch {
  const { ttlMs, tickMs, maxWatched } = parseOptions(options);
  const { clock = () => performance.now() } = options;
  const watched = new Map<string, Watched>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const nameOf = (channelId: string, agentId: string) => `${channelId}:${agentId}`;

  function tell({ channelId, agentId }: Typer): void {
    watched.delete(nameOf(channelId, agentId));
    try {
      onExpired(channelId, agentId);
    } catch (error) {
      onError?.(error);
    }
  }

  /** Whether nothing was heard of it since. */
  const isCurrent = (one: Watched) => watched.get(nameOf(one.channelId, one.agentId)) === one;

  async function tick(): Promise<void> {
    const nowMs = clock();
    const due: Watched[] = [];
    for (const one of watched.values()) {
      if (one.asking || one.dueMs > nowMs) continue;
      one.asking = true;
      due.push(one);
    }
    if (due.length === 0) return;
    const remaining = await typing.remainingMs(due).catch((error: unknown) => {
      onError?.(error);
      return due.map(() => 0);
    });
    if (closed) return;
    due.forEach((one, at) => {
      if (!isCurrent(one)) return;
      const leftMs = remaining[at] ?? 0;
      one.asking = false;
      if (leftMs > 0) one.dueMs = clock() + leftMs;
      else tell(one);
    });
    rest();
  }

  function rest(): void {
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    get size() {
      return watched.size;
    },
    started(channelId, agentId) {
      if (closed) return;
      const name = nameOf(channelId, agentId);
      // A new object, so that an answer under way about the old one is not taken for one about this.
      watched.delete(name);
      watched.set(name, { channelId, agentId, dueMs: clock() + ttlMs, asking: false });
      if (watched.size > maxWatched) tell(watched.values().next().value!);
      timer ??= setInterval(() => void tick(), tickMs).unref();
    },
    stopped(channelId, agentId) {
      watched.delete(nameOf(channelId, agentId));
      rest();
    },
    close() {
      closed = true;
      watched.clear();
      rest();
    },
  };
}

interface PaceOptions {
  readonly gapMs: number;
  readonly busyGapMs: number;
  readonly busyAppendsPerSecond: number;
  readonly maxGapMs: number;
  readonly clock?: () => number;
}

export interface GroupCommitOptions extends PaceOptions {
  readonly maxGroup: number;
  /** A larger command is committed alone. */
  readonly maxGroupBytes: number;
  /** Further commands are refused at once. */
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
  /** Every command is answered within this time. */
  readonly timeoutMs: number;
}

export interface GroupCommitDeps<C, R> {
  /** Commits a group and answers each of its commands, in order. Groups never overlap. */
  readonly run: (commands: readonly C[]) => Promise<readonly R[]>;
  readonly sizeOf: (command: C) => number;
  /** Answers a command that was never started. */
  readonly refused: (reason: 'queue full' | 'no answer' | 'closed') => R;
  /** Answers a command whose group has not settled in time, and may have been committed. */
  readonly timedOut: () => R;
  /** Answers each command of a failed group. */
  readonly failed: (error: unknown) => R;
  readonly onGroup?: (size: number, durationMs: number) => void;
}

interface Entry<C, R> {
  readonly command: C;
  readonly bytes: number;
  readonly deadlineMs: number;
  /** Undefined once the command is answered. */
  settle: ((result: R) => void) | undefined;
}

/**
 * A group holds the commands that arrived during the last commit and the pause of {@link createPace}. Under low load,
 * each command is committed alone and at once.
 */
export function createGroupCommit<C, R>(deps: GroupCommitDeps<C, R>, options: GroupCommitOptions) {
  const { maxGroup, maxGroupBytes, maxQueue, maxQueueBytes, timeoutMs } = options;
  const pace = createPace(options);
  let queue: Entry<C, R>[] = [];
  let queueBytes = 0;
  let running: Entry<C, R>[] = [];
  let state: 'idle' | 'due' | 'running' = 'idle';
  let watch: NodeJS.Timeout | undefined;
  let isClosed = false;
  let onDrained: (() => void) | undefined;

  function takeGroup(): Entry<C, R>[] {
    let size = 0;
    let bytes = 0;
    for (const entry of queue) {
      bytes += entry.bytes;
      if (size === maxGroup || (size > 0 && bytes > maxGroupBytes)) break;
      size += 1;
    }
    const group = queue.slice(0, size);
    queue = queue.slice(size);
    for (const entry of group) queueBytes -= entry.bytes;
    return group;
  }

  function schedule(): void {
    if (state !== 'idle') return;
    if (queue.length === 0) {
      if (running.length === 0) onDrained?.();
      return;
    }
    state = 'due';
    const waitMs = pace.waitMs();
    // Even without a pause, the commit waits for the I/O of this turn, so that calls that arrive together are committed
    // together.
    if (waitMs > 0) setTimeout(commit, waitMs);
    else setImmediate(commit);
  }

  function commit(): void {
    running = takeGroup();
    if (running.length === 0) {
      state = 'idle';
      schedule();
      return;
    }
    state = 'running';
    pace.began(running.length);
    const startMs = performance.now();
    const group = running;
    const answer = (resultOf: (index: number) => R) => {
      group.forEach((entry, index) => settle(entry, () => resultOf(index)));
      deps.onGroup?.(group.length, performance.now() - startMs);
      running = [];
      state = 'idle';
      schedule();
    };
    deps.run(group.map((entry) => entry.command)).then(
      (results) => answer((index) => results[index] as R),
      (error: unknown) => answer(() => deps.failed(error)),
    );
  }

  function settle(entry: Entry<C, R>, result: () => R): void {
    entry.settle?.(result());
    entry.settle = undefined;
  }

  // Commands have the same timeout, so they expire in their order, and one timer is enough.
  function expire(): void {
    watch = undefined;
    const nowMs = performance.now();
    for (const entry of running) if (entry.deadlineMs <= nowMs) settle(entry, deps.timedOut);
    while (queue[0] && queue[0].deadlineMs <= nowMs) {
      const entry = queue.shift();
      if (!entry) break;
      queueBytes -= entry.bytes;
      settle(entry, () => deps.refused('no answer'));
    }
    const next = running.find((entry) => entry.settle) ?? queue[0];
    if (next) watch = setTimeout(expire, Math.max(1, next.deadlineMs - nowMs));
  }

  return {
    /** Always resolves, within `timeoutMs`. Commands take effect in the order of these calls. */
    submit(command: C): Promise<R> {
      if (isClosed) return Promise.resolve(deps.refused('closed'));
      const bytes = deps.sizeOf(command);
      if (queue.length >= maxQueue || (queue.length > 0 && queueBytes + bytes > maxQueueBytes)) {
        return Promise.resolve(deps.refused('queue full'));
      }
      return new Promise((resolve) => {
        const deadlineMs = performance.now() + timeoutMs;
        queue.push({ command, bytes, deadlineMs, settle: resolve });
        queueBytes += bytes;
        watch ??= setTimeout(expire, timeoutMs);
        schedule();
      });
    },
    /** Does not count the running group. */
    get queueLength() {
      return queue.length;
    },
    /** Refuses new commands, and resolves when the earlier commands are answered. */
    async close() {
      isClosed = true;
      if (queue.length > 0 || running.length > 0) {
        await new Promise<void>((resolve) => {
          const last = setTimeout(resolve, timeoutMs + 100);
          onDrained = () => {
            clearTimeout(last);
            resolve();
          };
        });
      }
      clearTimeout(watch);
    },
  };
}

const measuredOverMs = 250;

/**
 * Groups begin at least 1 ms apart, so that a fast disk does not commit every command alone. Under load they begin 4 to
 * 8 ms apart: larger groups save more time than the wait costs.
 */
export function createPace(options: PaceOptions) {
  const { gapMs, busyGapMs, busyAppendsPerSecond, maxGapMs } = options;
  const { clock = () => performance.now() } = options;
  let lastMs = -Infinity;
  let windowStartMs = clock();
  let inWindow = 0;
  let currentGapMs = gapMs;

  function gapAt(perSecond: number): number {
    if (perSecond <= busyAppendsPerSecond) return gapMs;
    const growth = Math.max(1, perSecond / (4 * busyAppendsPerSecond));
    return Math.min(maxGapMs, busyGapMs * growth);
  }

  return {
    waitMs: () => Math.max(0, lastMs + currentGapMs - clock()),
    began(size: number) {
      lastMs = clock();
      inWindow += size;
      const windowMs = lastMs - windowStartMs;
      if (windowMs >= measuredOverMs) {
        currentGapMs = gapAt((inWindow * 1000) / windowMs);
        windowStartMs = lastMs;
        inWindow = 0;
      }
    },
  };
}

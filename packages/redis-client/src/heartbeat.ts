/** Options of {@link startHeartbeat}. */
export interface HeartbeatOptions {
  readonly everyMs: number;
  /** One beat; its outcome is its own business. */
  readonly beat: () => Promise<void>;
  /** How many beats may be under way at once, asked before each. */
  readonly concurrent: () => number;
}

/** Runs `beat` every `everyMs`, and at once by `now`. A stalled event loop yields one beat, not many. */
export function startHeartbeat({ everyMs, beat, concurrent }: HeartbeatOptions): {
  now(): void;
  stop(): void;
} {
  let underWay = 0;
  const now = () => {
    if (underWay >= concurrent()) return;
    underWay += 1;
    void beat()
      .catch(() => undefined)
      .then(() => (underWay -= 1));
  };
  const timer = setInterval(now, everyMs);
  return { now, stop: () => clearInterval(timer) };
}

/** Rejects with what `onTimeout` makes when `work` has not settled within `timeoutMs`; `work` then settles unheard. */
export function within<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // After a stall of the event loop timers run before the answers that wait in the socket are read: one turn more.
      setImmediate(() => reject(onTimeout()));
    }, timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

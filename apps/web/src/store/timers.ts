/** Pending timeouts, at most one for each key. */
export function createTimers<K>() {
  const pending = new Map<K, ReturnType<typeof setTimeout>>();
  return {
    /** Calls `run` after `delayMs`, unless a call for this key is pending already. */
    start(key: K, delayMs: number, run: () => void) {
      if (pending.has(key)) return;
      const timer = setTimeout(() => {
        pending.delete(key);
        run();
      }, delayMs);
      pending.set(key, timer);
    },
    cancel(key: K) {
      clearTimeout(pending.get(key));
      pending.delete(key);
    },
    close() {
      for (const timer of pending.values()) clearTimeout(timer);
      pending.clear();
    },
  };
}

export function createTimers<K>() {
  const pending = new Map<K, ReturnType<typeof setTimeout>>();
  return {
    /** Does nothing while a timeout with this key is pending. */
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

/** Functions to call on each change; one that throws harms no other. */
export interface Listeners<A extends unknown[]> {
  /** Adds one; the same function may be added twice. Returns what removes this one. */
  add(listener: (...args: A) => void): () => void;
  emit(...args: A): void;
}

/** Makes {@link Listeners}; `onThrow` hears what a listener threw. */
export function createListeners<A extends unknown[]>(
  onThrow: (error: unknown) => void,
): Listeners<A> {
  const entries = new Set<{ readonly call: (...args: A) => void }>();
  return {
    add(call) {
      const entry = { call };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    emit(...args) {
      for (const { call } of [...entries]) {
        try {
          call(...args);
        } catch (error) {
          onThrow(error);
        }
      }
    },
  };
}

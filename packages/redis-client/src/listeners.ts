/** Functions to call on each change. An error in one does not affect the others. */
export interface Listeners<A extends unknown[]> {
  /** Adds a listener. The same function may be added twice. The returned function removes this one. */
  add(listener: (...args: A) => void): () => void;
  emit(...args: A): void;
}

/** Creates {@link Listeners}. `onThrow` receives the errors of the listeners. */
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

/** Functions to call on each change. An error in one does not affect the others; `onThrow` receives it. */
export function createListeners<A extends unknown[]>(onThrow: (error: unknown) => void) {
  const entries = new Set<{ readonly call: (...args: A) => void }>();
  return {
    /** The same function may be added twice. The returned function removes this one. */
    add: (call: (...args: A) => void): (() => void) => {
      const entry = { call };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    emit: (...args: A): void => {
      for (const { call } of [...entries]) {
        try {
          call(...args);
        } catch (error) {
          onThrow(error);
        }
      }
    },
    clear: () => entries.clear(),
  };
}

/** `onThrow` receives a listener's error, so that the others still run. */
export function createListeners<A extends unknown[]>(onThrow: (error: unknown) => void) {
  const entries = new Set<{ readonly call: (...args: A) => void }>();
  return {
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

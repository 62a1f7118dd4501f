/** The listeners of one event. An error of a listener is reported, and the other listeners are still called. */
export function createListeners<Args extends unknown[]>(
  warn: (details: object, message: string) => void,
) {
  const listeners = new Set<(...args: Args) => void>();
  return {
    add: (listener: (...args: Args) => void): (() => void) => {
      // Wrapped, so that a function that is added twice counts as two listeners.
      const added = (...args: Args) => listener(...args);
      listeners.add(added);
      return () => void listeners.delete(added);
    },
    emit: (...args: Args): void => {
      for (const listener of listeners) {
        try {
          listener(...args);
        } catch (error) {
          warn({ err: error }, 'a presence listener threw');
        }
      }
    },
    clear: () => listeners.clear(),
  };
}

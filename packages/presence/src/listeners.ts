/** The listeners of one event. A listener that throws is reported, and the others are called all the same. */
export function createListeners<Args extends unknown[]>(
  warn: (details: object, message: string) => void,
) {
  const listeners = new Set<(...args: Args) => void>();
  return {
    add: (listener: (...args: Args) => void): (() => void) => {
      // Wrapped, so that one function given twice is two listeners.
      const mine = (...args: Args) => listener(...args);
      listeners.add(mine);
      return () => void listeners.delete(mine);
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

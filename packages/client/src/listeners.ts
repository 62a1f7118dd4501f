/** Listeners of one kind of event. */
export interface Listeners<T> {
  /** Calls the listener from the next event on; the returned function ends that from the next event on. */
  readonly on: (listener: (value: T) => void) => () => void;
  readonly emit: (value: T) => void;
  readonly size: number;
}

// As a browser's event target does it: one bad listener harms no other, and its exception is not swallowed.
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Listeners in the order of their registration; the same function may be registered twice. */
export function createListeners<T>(): Listeners<T> {
  // Replaced, never changed, so that an emit in progress needs no copy.
  let listeners: readonly ((value: T) => void)[] = [];
  return {
    get size() {
      return listeners.length;
    },
    on(listener) {
      const own = (value: T) => listener(value);
      listeners = [...listeners, own];
      return () => {
        listeners = listeners.filter((other) => other !== own);
      };
    },
    emit(value) {
      const called = listeners;
      for (let i = 0; i < called.length; i += 1) {
        try {
          called[i]?.(value);
        } catch (error) {
          report(error);
        }
      }
    },
  };
}

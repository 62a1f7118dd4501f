import { effect, signal, type Signal } from '@preact/signals';

/** A signal that a reload does not forget. What does not fit into the storage lives on in memory alone. */
export function createStoredValue<T>(
  storage: Storage,
  key: string,
  initial: T,
): { readonly value: Signal<T>; readonly close: () => void } {
  const value = signal(read(storage, key, initial));
  let isFirst = true;
  const close = effect(() => {
    const current = value.value;
    if (isFirst) {
      isFirst = false;
      return;
    }
    try {
      storage.setItem(key, JSON.stringify(current));
    } catch {
      // Full, or forbidden by the browser: an older text must not come back instead.
      storage.removeItem(key);
    }
  });
  return { value, close };
}

function read<T>(storage: Storage, key: string, initial: T): T {
  try {
    const text = storage.getItem(key);
    return text === null ? initial : (JSON.parse(text) as T);
  } catch {
    return initial;
  }
}

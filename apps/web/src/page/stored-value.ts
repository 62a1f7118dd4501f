import { effect, signal, type Signal } from '@preact/signals';

export interface StoredValue<T> {
  readonly value: Signal<T>;
  readonly close: () => void;
}

/** A signal that survives a reload. A value that the storage has no room for stays in memory only. */
export function createStoredValue<T>(storage: Storage, key: string, initial: T): StoredValue<T> {
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
      // The storage is full or forbidden. The old value must not come back after a reload.
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

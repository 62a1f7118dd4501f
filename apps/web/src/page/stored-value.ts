import { effect, signal } from '@preact/signals';
import type { KeyedStorage } from './page-base.ts';

/** A signal that survives a reload. A value too large for the storage stays only in memory. */
export function createStoredValue<T>(storage: KeyedStorage, key: string, initial: T) {
  const value = signal(read(storage, key, initial));
  const stop = effect(() => {
    try {
      storage.setItem(key, JSON.stringify(value.value));
    } catch {
      // The storage is full or forbidden. The old value must not come back after a reload.
      storage.removeItem(key);
    }
  });
  return { value, close: () => stop() };
}

function read<T>(storage: KeyedStorage, key: string, initial: T): T {
  try {
    const text = storage.getItem(key);
    return text === null ? initial : (JSON.parse(text) as T);
  } catch {
    return initial;
  }
}

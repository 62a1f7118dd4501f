import { effect, signal } from '@preact/signals';
import type { KeyedStorage } from './page-base.ts';

/** The value survives a reload, unless it is too large for the storage. */
export function createStoredValue<T>(storage: KeyedStorage, key: string, initial: T) {
  const value = signal(read(storage, key, initial));
  const stop = effect(() => {
    try {
      storage.setItem(key, JSON.stringify(value.value));
    } catch {
      // The storage is full or forbidden. A reload must not bring back the old value.
      storage.removeItem(key);
    }
  });
  return { value, close: () => stop() };
}

/**
 * All tabs of this browser share the value. A tab does not write a value that came from another tab, because the other
 * tab may have changed it again.
 */
export function createSharedValue<T>(storage: KeyedStorage, key: string, initial: T) {
  let text = storage.getItem(key);
  const value = signal(read(storage, key, initial));
  const stop = effect(() => {
    const next = JSON.stringify(value.value);
    if (next === text) return;
    text = next;
    try {
      storage.setItem(key, next);
    } catch {
      // A reload must not bring back the old value.
      storage.removeItem(key);
    }
  });
  const onStorage = () => {
    const stored = storage.getItem(key);
    if (stored === text) return;
    text = stored;
    value.value = read(storage, key, initial);
  };
  window.addEventListener('storage', onStorage);
  return {
    value,
    close() {
      window.removeEventListener('storage', onStorage);
      stop();
    },
  };
}

function read<T>(storage: KeyedStorage, key: string, initial: T): T {
  try {
    const text = storage.getItem(key);
    return text === null ? initial : (JSON.parse(text) as T);
  } catch {
    return initial;
  }
}

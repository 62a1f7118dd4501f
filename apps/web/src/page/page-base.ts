/** Storage as the page uses it. */
export type KeyedStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The address of a path of the hub. A proxy may serve page and hub below a path, so it is relative to the page. */
export function hubAddress(path: string): string {
  return new URL(path, new URL('.', document.baseURI)).href;
}

/**
 * The storage of the hub at this address. Pages below different paths of one origin share the browser's storage, and one
 * hub must not get the token or the unsent messages of another.
 */
export function storageOfHub(storage: Storage): KeyedStorage {
  const { pathname } = new URL('.', document.baseURI);
  if (pathname === '/') return storage;
  const keyOf = (key: string) => `${pathname} ${key}`;
  return {
    getItem: (key) => storage.getItem(keyOf(key)),
    setItem: (key, value) => storage.setItem(keyOf(key), value),
    removeItem: (key) => storage.removeItem(keyOf(key)),
  };
}

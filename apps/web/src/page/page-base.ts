export type KeyedStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The address is relative to the page, because a proxy may serve page and hub below a path. */
export function hubAddress(path: string): string {
  return new URL(path, new URL('.', document.baseURI)).href;
}

/**
 * Pages below different paths of one origin share the browser's storage, so the keys include the path. Otherwise one
 * hub could get the token or the unsent messages of another.
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

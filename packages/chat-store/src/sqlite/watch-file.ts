import { realpathSync, statSync } from 'node:fs';

/** For this long, `check` returns the result of the last check. */
const everyMs = 200;

/**
 * Detects that the database file, its write-ahead log or its shared memory was replaced or removed. Create it before
 * the file is opened, so that a replacement during the opening is noticed.
 */
export function watchFiles(path: string, now: () => number = () => performance.now()) {
  const first = new Map<string, string>();
  let checkedAtMs = -Infinity;
  let lost: string | null = null;
  let real: string | undefined;

  function find(file: string): string | null {
    const found = statSync(file, { throwIfNoEntry: false });
    const identity = found ? `${found.dev}:${found.ino}` : null;
    const known = first.get(file);
    if (known === undefined) {
      if (identity !== null) first.set(file, identity);
      return null;
    }
    if (identity === null) return `${file} is gone: it or its folder was removed or moved`;
    return identity === known ? null : `${file} was replaced by another file`;
  }

  /**
   * Costs three `stat` calls. Returns what happened to a file, with its path, or null. After a fault the result stays
   * the same, even if the file is put back, because another process may have written in between.
   */
  function checkNow(): string | null {
    if (lost !== null) return lost;
    checkedAtMs = now();
    try {
      lost = find(path);
      if (lost !== null || !first.has(path)) return lost;
      // SQLite follows a symbolic link and creates the `-wal` and `-shm` files beside its target.
      real ??= realpathSync(path);
      lost = find(`${real}-wal`) ?? find(`${real}-shm`);
    } catch (error) {
      lost = `${path} cannot be checked: ${error instanceof Error ? error.message : String(error)}`;
    }
    return lost;
  }
  // `checkNow` is too strict here, because SQLite may still remove the files that an ended process left.
  try {
    find(path);
  } catch {
    // Opening the file reports the error more clearly.
  }

  return {
    checkNow,
    check: () => (now() - checkedAtMs < everyMs ? lost : checkNow()),
  };
}

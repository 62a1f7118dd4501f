import { realpathSync, statSync } from 'node:fs';

/** The time for which `check` relies on the last check. */
const everyMs = 200;

/**
 * Detects that the files of an open database are no longer the ones that were opened: the database file, its
 * write-ahead log and its shared memory. Create it before the file is opened, so that a replacement during the opening
 * is noticed. The log and the shared memory are watched from the time they are first seen. SQLite removes them only
 * when their last user closes the database.
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
   * Checks now, at the cost of three `stat` calls. Returns what happened to a file, with its path, or null. A fault
   * that was found remains even if the file is put back, because another process may have written to the other file
   * in between.
   */
  function checkNow(): string | null {
    if (lost !== null) return lost;
    checkedAtMs = now();
    try {
      lost = find(path);
      if (lost !== null || !first.has(path)) return lost;
      // SQLite follows a symbolic link and creates the two other files beside its target.
      real ??= realpathSync(path);
      lost = find(`${real}-wal`) ?? find(`${real}-shm`);
    } catch (error) {
      lost = `${path} cannot be checked: ${error instanceof Error ? error.message : String(error)}`;
    }
    return lost;
  }
  // Does not call `checkNow`, because SQLite may still remove the files that an ended process left.
  try {
    find(path);
  } catch {
    // Ignored: opening the file reports the error more clearly.
  }

  return {
    checkNow,
    /** Like `checkNow`, but checks at most five times a second. */
    check: () => (now() - checkedAtMs < everyMs ? lost : checkNow()),
  };
}

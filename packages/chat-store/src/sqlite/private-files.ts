import { chmodSync, closeSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates the file and its folder for their owner alone, and removes the rights of others from an existing file. SQLite
 * gives its write-ahead log and its shared memory the mode of the file. An existing folder is not changed, because it
 * may hold other files. Never throws: opening the database reports an error more clearly.
 *
 * Call it before this process opens the database: closing any descriptor of a file ends all locks that the process
 * holds on the file, including those of SQLite. For the same reason an existing file is not opened here.
 */
export function makePrivate(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // The file exists, or it cannot be created.
  }
  for (const end of ['', '-wal', '-shm']) {
    try {
      // SQLite keeps the other two files beside the target of a symbolic link.
      const file = `${realpathSync(path)}${end}`;
      const { mode } = statSync(file);
      if ((mode & 0o077) !== 0) chmodSync(file, mode & 0o700);
    } catch {
      // The file does not exist, or belongs to another user, who decides about its rights.
    }
  }
}

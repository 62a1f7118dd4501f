import { chmodSync, closeSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates the file and its folder for their owner alone, and removes the rights of others from an existing file. Never
 * throws: opening the database reports an error more clearly.
 *
 * Call it before this process opens the database, because closing any descriptor of a file ends all locks of the
 * process on the file.
 */
export function makePrivate(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // The file exists, or cannot be created.
  }
  for (const end of ['', '-wal', '-shm']) {
    try {
      // SQLite keeps the `-wal` and `-shm` files beside the target of a symbolic link.
      const file = `${realpathSync(path)}${end}`;
      const { mode } = statSync(file);
      if ((mode & 0o077) !== 0) chmodSync(file, mode & 0o700);
    } catch {
      // The file does not exist, or belongs to another user.
    }
  }
}

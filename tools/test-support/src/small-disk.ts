import { execFileSync } from 'node:child_process';
import { closeSync, openSync, statfsSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './processes.ts';

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  readonly freeBytes: number;
  fill(): void;
  clear(): void;
  remove(): Promise<void>;
}

/** Mounts a file system in memory. Resolves with null if this user may not mount: usually, only root may. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | null> {
  const folder = await temporaryFolder('disk');
  try {
    const size = `size=${megabytes}m`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder.path], { stdio: 'pipe' });
  } catch {
    await folder.remove();
    return null;
  }
  const filler = join(folder.path, 'filler');
  const free = () => {
    const { bavail, bsize } = statfsSync(folder.path);
    return bavail * bsize;
  };
  async function remove() {
    execFileSync('umount', ['-l', folder.path], { stdio: 'pipe' });
    await folder.remove();
  }

  return {
    path: folder.path,
    get freeBytes() {
      return free();
    },
    fill() {
      const file = openSync(filler, 'a');
      try {
        while (free() > 0) writeSync(file, Buffer.alloc(Math.min(free(), 65_536)));
      } finally {
        closeSync(file);
      }
    },
    clear() {
      truncateSync(filler);
    },
    remove,
    [Symbol.asyncDispose]: remove,
  };
}

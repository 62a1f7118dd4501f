import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BackupError } from './failure.ts';

/** The file has the format of `sha256sum -c`. */
export const sumsFile = 'SHA256SUMS';

export async function sha256Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest('hex');
}

/** Writes the checksums of all files in the folder. Syncs the files and the folder to the disk. */
export async function writeSums(folder: string, signal: AbortSignal): Promise<void> {
  const names = (await readdir(folder)).sort();
  const lines: string[] = [];
  for (const name of names) lines.push(`${await sha256Of(join(folder, name), signal)}  ${name}\n`);
  const sums = await open(join(folder, sumsFile), 'w', 0o600);
  await sums.writeFile(lines.join(''));
  await sums.close();
  for (const name of [...names, sumsFile, '.']) await sync(join(folder, name));
}

export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

/**
 * Finds damage but no forgery, because an attacker can change the checksums too.
 * @throws {BackupError} `damaged`, naming the file
 */
export async function verifySums(folder: string, signal: AbortSignal): Promise<void> {
  const damaged = (what: string) =>
    new BackupError('damaged', `the archive ${folder} is damaged: ${what}`);
  const text = await readFile(join(folder, sumsFile), 'utf8').catch(() => '');
  const sums = new Map(
    [...text.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)].map(([, sum, name]) => [name ?? '', sum]),
  );
  if (sums.size === 0) throw damaged(`${sumsFile} is missing or empty`);
  const names = (await readdir(folder)).filter((name) => name !== sumsFile);
  const missing = [...sums.keys()].find((name) => !names.includes(name));
  if (missing !== undefined) throw damaged(`${missing} is missing`);
  for (const name of names) {
    const sum = await sha256Of(join(folder, name), signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw damaged(`${name} cannot be read: ${(error as Error).message}`);
    });
    if (sum !== sums.get(name)) throw damaged(`${name} does not match its checksum`);
  }
}

import { existsSync } from 'node:fs';
import { chmod, copyFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import {
  newEpochStatements,
  openMaintenance,
  type DatabaseLedger,
} from '@openclaw/chat-store/maintenance';
import { sync } from './checksums.ts';
import { BackupError } from './failure.ts';
import { runProgram } from './run-program.ts';

/**
 * Hubs keep writing and never wait for the copy; the write-ahead log grows until the copy is done. Resolves with the
 * time of the snapshot.
 */
export async function copySqlite(path: string, to: string, signal: AbortSignal): Promise<number> {
  if (!existsSync(path)) throw new BackupError('failed', `there is no database ${path}`);
  const program = fileURLToPath(new URL('./sqlite-vacuum.ts', import.meta.url));
  const args = ['--disable-warning=ExperimentalWarning', program, path, to];
  const takenAtMs = Number(await runProgram({ command: process.execPath, args }, { signal }));
  await chmod(to, 0o600);
  return takenAtMs;
}

/** No other process may use the copy. Leaves one file, without a write-ahead log. */
export async function readSqliteLedger(path: string): Promise<DatabaseLedger> {
  const maintenance = await openMaintenance(`sqlite:${path}`);
  try {
    return await maintenance.ledger();
  } finally {
    await maintenance.close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode = DELETE');
    database.close();
  }
}

/**
 * Changes nothing.
 * @throws {BackupError} `damaged`
 */
export function checkSqlite(path: string): void {
  let result: unknown;
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    result = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    database.close();
  } catch (error) {
    result = (error as Error).message;
  }
  if (result !== 'ok') {
    throw new BackupError('damaged', `the copy is damaged: ${String(result)}`);
  }
}

/**
 * Replaces the database with the copy, in a new epoch. Keeps the former database and resolves with its path, or with
 * null if there was none. The copy is prepared beside the database first, so that the replacement only renames files.
 * @throws {BackupError} `in_use` if a process has the database open, `damaged` if the copy differs from the ledger
 */
export async function placeSqlite(
  copy: string,
  path: string,
  expected: DatabaseLedger,
  options: { readonly isForced: boolean; readonly signal: AbortSignal },
): Promise<string | null> {
  const staged = `${path}.restoring-${process.pid}`;
  const removeStaged = () =>
    Promise.all(
      ['', '-wal', '-shm', '-journal'].map((end) => rm(`${staged}${end}`, { force: true })),
    );
  try {
    await copyFile(copy, staged);
    await chmod(staged, 0o600);
    const ledger = await readSqliteLedger(staged);
    if (ledger.headsSha256 !== expected.headsSha256) {
      throw new BackupError('damaged', 'the copy does not hold what its manifest says');
    }
    beginEpoch(staged);
    await sync(staged);
    options.signal.throwIfAborted();
    return await replace(path, staged, options.isForced);
  } finally {
    await removeStaged();
  }
}

function beginEpoch(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec('BEGIN IMMEDIATE');
    for (const statement of newEpochStatements()) database.exec(statement);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

async function replace(path: string, staged: string, isForced: boolean): Promise<string | null> {
  if (!existsSync(path)) {
    await rename(staged, path);
    await sync(dirname(path));
    return null;
  }
  const release = takeExclusively(path, isForced);
  try {
    const kept = `${path}.before-${new Date().toISOString().replaceAll(/[-:]/g, '')}`;
    await rename(path, kept);
    // SQLite removes these files when it closes an intact database, so only a damaged database can still have them.
    for (const end of ['-wal', '-shm']) {
      if (existsSync(`${path}${end}`)) await rename(`${path}${end}`, `${kept}${end}`);
    }
    await rename(staged, path);
    await sync(dirname(path));
    return kept;
  } finally {
    release();
  }
}

/**
 * Locks the file against all other processes. The change of the journal mode fails while another process has the file
 * open, even a frozen hub. The lock then keeps out a hub that starts later.
 */
function takeExclusively(path: string, isForced: boolean): () => void {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path);
    database.exec('PRAGMA busy_timeout = 500');
    const mode = database.prepare('PRAGMA journal_mode = DELETE').get() as { journal_mode: string };
    if (mode.journal_mode !== 'delete') throw new Error('the journal mode did not change');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    const code = (error as { errcode?: number }).errcode ?? 0;
    if ((code & 0xff) === 5 || (code & 0xff) === 6) {
      throw new BackupError('in_use', `a process uses the database ${path}: stop every hub first`);
    }
    if (isForced) return () => undefined;
    throw new BackupError(
      'failed',
      `the database ${path} is too damaged to see whether a hub uses it (${(error as Error).message}): stop every hub, then repeat with --force`,
    );
  }
  return () => database.close();
}

import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openMaintenance, type DatabaseLedger } from '@openclaw/chat-store/maintenance';
import type { RedisConnection } from '@openclaw/redis-client';
import {
  archiveName,
  listArchives,
  manifestFile,
  removeAbandoned,
  removeOldArchives,
  type Manifest,
} from './archive.ts';
import { writeMetric } from './backup-metric.ts';
import { sync, writeSums } from './checksums.ts';
import type { BackupOptions } from './command-line.ts';
import { databaseName, sqlitePath } from './database-url.ts';
import { encrypt } from './encryption.ts';
import { dumpPostgres } from './postgres-database.ts';
import { formatBytes, type Progress } from './progress.ts';
import { snapshotRedis, type SnapshotUser } from './redis-snapshot.ts';
import { copySqlite, readSqliteLedger } from './sqlite-database.ts';

export interface BackupSource {
  readonly databaseUrl: string;
  readonly redis: RedisConnection | null;
  readonly redisUser: SnapshotUser;
}

/** Resolves with the archive's path. A run that fails or is interrupted leaves no archive. */
export async function backUp(
  source: BackupSource,
  options: BackupOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const startedMs = Date.now();
  const folder = resolve(options.to);
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder, startedMs);
  const partial = await mkdtemp(join(folder, '.partial-'));
  // With encryption, the plain copy never reaches the folder of the archives.
  const plain =
    options.encryptTo === null ? partial : await mkdtemp(join(tmpdir(), 'openclaw-backup-'));
  try {
    const isSqlite = sqlitePath(source.databaseUrl) !== null;
    const database = isSqlite ? 'database.sqlite' : 'database.dump';
    progress.say(`copying ${databaseName(source.databaseUrl)}…`);
    const copy = join(plain, database);
    const { takenAtMs, ledger } = await progress.growing(copy, () =>
      copyDatabase(source.databaseUrl, copy, signal),
    );
    const seal = async (name: string): Promise<string> => {
      if (options.encryptTo === null) return name;
      await encrypt(join(plain, name), join(partial, `${name}.age`), options.encryptTo, signal);
      await rm(join(plain, name));
      return `${name}.age`;
    };
    const sealed = await seal(database);
    let redis: string | null = null;
    if (options.withRedis) {
      progress.say('copying Redis…');
      await snapshotRedis(source.redis, source.redisUser, join(plain, 'redis.rdb'), signal);
      redis = await seal('redis.rdb');
    }
    const manifest: Manifest = {
      ...{ format: 1, engine: isSqlite ? 'sqlite' : 'postgres' },
      ...{ takenAt: new Date(takenAtMs).toISOString(), encrypted: options.encryptTo !== null },
      ...{ database: sealed, redis, ledger },
    };
    await writeFile(join(partial, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`, {
      mode: 0o600,
    });
    progress.say('writing checksums…');
    await writeSums(partial, signal);
    signal.throwIfAborted();
    const archive = join(folder, archiveName(takenAtMs));
    await rename(partial, archive);
    await sync(folder);
    const bytes = await sizeOf(archive);
    progress.say(
      `${formatBytes(bytes)}: ${ledger.events} events in ${ledger.channels} channels at ${manifest.takenAt}`,
    );
    await finish(folder, options, progress, { takenAtMs, bytes, startedMs });
    return archive;
  } finally {
    for (const left of [partial, plain]) await rm(left, { recursive: true, force: true });
  }
}

async function copyDatabase(
  url: string,
  to: string,
  signal: AbortSignal,
): Promise<{ takenAtMs: number; ledger: DatabaseLedger }> {
  const path = sqlitePath(url);
  if (path !== null) {
    const startedMs = await copySqlite(path, to, signal);
    const ledger = await readSqliteLedger(to);
    // The snapshot may hold events that were committed after the clock was read, so the later time counts.
    return { takenAtMs: Math.max(startedMs, ledger.latestEventAtMs ?? 0), ledger };
  }
  const maintenance = await openMaintenance(url);
  try {
    return await dumpPostgres(url, maintenance, to, signal);
  } finally {
    await maintenance.close();
  }
}

async function finish(
  folder: string,
  options: BackupOptions,
  progress: Progress,
  made: { readonly takenAtMs: number; readonly bytes: number; readonly startedMs: number },
): Promise<void> {
  if (options.keep !== null || options.keepMs !== null) {
    const removed = await removeOldArchives(folder, options, Date.now());
    if (removed.length > 0) progress.say(`removed ${removed.join(', ')}`);
  }
  const archives = (await listArchives(folder)).length;
  const durationMs = Date.now() - made.startedMs;
  const metric = options.metricFile ?? join(folder, 'openclaw_backup.prom');
  await writeMetric(resolve(metric), { ...made, durationMs, archives });
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return bytes;
}

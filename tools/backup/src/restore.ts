import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openMaintenance, type Maintenance } from '@openclaw/chat-store/maintenance';
import type { RedisConnection } from '@openclaw/redis-client';
import {
  chooseArchive,
  listArchives,
  readManifest,
  type Archive,
  type Manifest,
} from './archive.ts';
import { verifySums } from './checksums.ts';
import type { RestoreOptions } from './command-line.ts';
import { databaseName, sqlitePath } from './database-url.ts';
import { decrypt } from './encryption.ts';
import { BackupError } from './failure.ts';
import { forgetCaches } from './forget-caches.ts';
import { checkDump, restorePostgres } from './postgres-database.ts';
import type { Progress } from './progress.ts';
import { checkSqlite, placeSqlite } from './sqlite-database.ts';

export interface RestoreTarget {
  readonly databaseUrl: string;
  readonly redis: RedisConnection | null;
}

/** A running hub beats every 2 s, so after this time without a beat it has stopped. */
const beatsEndMs = 10_000;

export async function restore(
  target: RestoreTarget,
  options: RestoreOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  if (options.from === null) return renewEpoch(target, progress, signal);
  const folder = resolve(options.from);
  if (options.isList) return listed(await listArchives(folder));
  const archive = await chooseArchive(folder, options.atMs);
  progress.say(`verifying ${archive.path}…`);
  await verifySums(archive.path, signal);
  const manifest = await readManifest(archive);
  const { takenAt, ledger } = manifest;
  const content = `${ledger.events} events in ${ledger.channels} channels at ${takenAt}`;
  const work = await mkdtemp(join(tmpdir(), 'openclaw-restore-'));
  try {
    const copy = await openCopy(archive, manifest, work, options.identity, signal);
    if (manifest.engine === 'postgres') await checkDump(copy, signal);
    else checkSqlite(copy);
    if (options.isCheck) return `${archive.path} is undamaged: ${content}`;
    if (options.atMs !== null) {
      const lackMs = options.atMs - Date.parse(takenAt);
      progress.say(
        `the newest archive at or before that time is ${Math.round(lackMs / 1000)} s older`,
      );
    }
    await place(target, copy, manifest, options, progress, signal);
    return `restored ${content}, in a new epoch. Tokens that were revoked later must be revoked again.`;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function listed(archives: readonly Archive[]): string {
  return archives
    .map(({ name, takenAtMs }) => `${name}  ${new Date(takenAtMs).toISOString()}`)
    .join('\n');
}

async function openCopy(
  archive: Archive,
  { encrypted, database }: Manifest,
  work: string,
  identity: string | null,
  signal: AbortSignal,
): Promise<string> {
  const stored = join(archive.path, database);
  // SQLite writes files beside an open database, so the archive's database is never opened.
  const copy = join(work, 'database');
  if (encrypted) await decrypt(stored, copy, identity, signal);
  return encrypted ? copy : stored;
}

async function place(
  target: RestoreTarget,
  copy: string,
  manifest: Manifest,
  options: RestoreOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { databaseUrl } = target;
  const path = sqlitePath(databaseUrl);
  if ((path === null ? 'postgres' : 'sqlite') !== manifest.engine) {
    throw new BackupError('failed', `the archive is of ${manifest.engine}, the database is not`);
  }
  progress.say(`restoring to ${databaseName(databaseUrl)}…`);
  if (path !== null) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const kept = await placeSqlite(copy, path, manifest.ledger, { ...options, signal });
    if (kept !== null) progress.say(`the former database is kept as ${kept}`);
    return withMaintenance(databaseUrl, (maintenance) => forget(target, maintenance, progress));
  }
  await withMaintenance(databaseUrl, async (maintenance) => {
    await refuseLiveHubs(maintenance, progress, signal);
    await restorePostgres(databaseUrl, copy, signal);
    const { headsSha256 } = await maintenance.ledger();
    if (headsSha256 !== manifest.ledger.headsSha256) {
      throw new BackupError(
        'damaged',
        'the restored database does not hold what the manifest says',
      );
    }
    await forget(target, maintenance, progress);
  });
}

async function refuseLiveHubs(
  maintenance: Maintenance,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const inUse = (how: string) =>
    new BackupError('in_use', `a hub uses the database (${how}): stop every hub first`);
  let lastMs = Infinity;
  for (let isSaid = false; ; isSaid = true) {
    const { connections, lastBeatAgoMs } = await maintenance.hubActivity();
    if (connections > 0) throw inUse(`${connections} connections`);
    if (lastBeatAgoMs === null || lastBeatAgoMs >= beatsEndMs) return;
    if (lastBeatAgoMs < lastMs && isSaid) throw inUse('its heartbeats continue');
    if (!isSaid) progress.say('waiting until the last heartbeat of a hub is 10 s ago…');
    lastMs = lastBeatAgoMs;
    await delay(500, undefined, { signal });
  }
}

async function forget(
  { redis }: RestoreTarget,
  maintenance: Maintenance,
  progress: Progress,
): Promise<void> {
  // A hub without configured Redis uses one on this machine's default port, if there is one.
  const isDone = await forgetCaches(redis ?? { host: '127.0.0.1', port: 6379 }, maintenance);
  if (redis === null && !isDone) return;
  progress.say(
    isDone
      ? 'dropped the caches in Redis'
      : 'Redis does not answer: before the hubs start, delete its keys, or caches may show lost messages for an hour',
  );
}

async function renewEpoch(
  target: RestoreTarget,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const epoch = await withMaintenance(target.databaseUrl, async (maintenance) => {
    await refuseLiveHubs(maintenance, progress, signal);
    const begun = await maintenance.beginEpoch();
    await forget(target, maintenance, progress);
    return begun;
  });
  return `the database is in the new epoch ${epoch}`;
}

async function withMaintenance<T>(
  url: string,
  work: (maintenance: Maintenance) => Promise<T>,
): Promise<T> {
  const maintenance = await openMaintenance(url);
  try {
    return await work(maintenance);
  } finally {
    await maintenance.close();
  }
}

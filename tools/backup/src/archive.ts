import { readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { sumsFile, sync } from './checksums.ts';
import { BackupError } from './failure.ts';

const manifestSchema = z.object({
  format: z.literal(1),
  engine: z.enum(['sqlite', 'postgres']),
  /** The copy contains no event after this time. */
  takenAt: z.iso.datetime(),
  encrypted: z.boolean(),
  database: z.string(),
  redis: z.string().nullable(),
  ledger: z.object({
    epoch: z.string(),
    migration: z.string(),
    channels: z.number(),
    events: z.number(),
    latestEventAtMs: z.number().nullable(),
    headsSha256: z.string(),
  }),
});

export type Manifest = z.infer<typeof manifestSchema>;

export interface Archive {
  readonly path: string;
  readonly name: string;
  readonly takenAtMs: number;
}

export const manifestFile = 'manifest.json';
const namePattern = /^hub-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\.(\d{3})Z$/;
const unfinishedPattern = /^\.(partial|removing)-/;
const abandonedMs = 86_400_000;

/** A name is, for example, `hub-20261128T021000.000Z`. Names sort by time. */
export function archiveName(takenAtMs: number): string {
  return `hub-${new Date(takenAtMs).toISOString().replaceAll(/[-:]/g, '')}`;
}

function archiveOf(path: string): Archive | null {
  const name = basename(path);
  const [, ...parts] = namePattern.exec(name) ?? [];
  if (parts.length === 0) return null;
  const [year, month, date, hour, minute, second, ms] = parts;
  const takenAtMs = Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}.${ms}Z`);
  return { path, name, takenAtMs };
}

/** The oldest archive comes first. If the folder is itself an archive, the list has only this archive. */
export async function listArchives(folder: string): Promise<Archive[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new BackupError('failed', `${folder} cannot be read: ${error.code}`);
  });
  if (names.includes(manifestFile) || names.includes(sumsFile)) {
    const renamed = { path: folder, name: basename(folder), takenAtMs: 0 };
    return [archiveOf(folder) ?? renamed];
  }
  return names
    .sort()
    .map((name) => archiveOf(join(folder, name)))
    .filter((archive) => archive !== null);
}

/**
 * Returns the newest archive. With `atMs`, returns the newest archive of that time or before.
 * @throws {BackupError} `failed` when there is none
 */
export async function chooseArchive(folder: string, atMs: number | null): Promise<Archive> {
  const archives = await listArchives(folder);
  const found = archives.findLast(({ takenAtMs }) => atMs === null || takenAtMs <= atMs);
  if (found) return found;
  const oldest = archives[0];
  throw new BackupError(
    'failed',
    oldest && atMs !== null
      ? `no archive in ${folder} was taken at or before ${new Date(atMs).toISOString()}; the oldest is ${oldest.name}`
      : `there is no archive in ${folder}`,
  );
}

/** @throws {BackupError} `damaged` */
export async function readManifest(archive: Archive): Promise<Manifest> {
  const path = join(archive.path, manifestFile);
  try {
    return manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new BackupError('damaged', `${path} is missing or not a manifest of this release`, error);
  }
}

/**
 * An archive stays if either limit, by count or by age, keeps it; at least one limit must be given. The newest
 * archive always stays. Returns the removed names.
 */
export async function removeOldArchives(
  folder: string,
  limits: { readonly keep: number | null; readonly keepMs: number | null },
  nowMs: number,
): Promise<string[]> {
  const archives = await listArchives(folder);
  const oldestMs = limits.keepMs === null ? Infinity : nowMs - limits.keepMs;
  const newest = new Set(archives.slice(-Math.max(1, limits.keep ?? 1)));
  const old = archives.filter((archive) => !newest.has(archive) && archive.takenAtMs < oldestMs);
  for (const { path, name } of old) {
    // The rename comes first, so that an interrupted removal leaves no half archive.
    const removing = join(folder, `.removing-${name}`);
    await rename(path, removing);
    await rm(removing, { recursive: true, force: true });
  }
  if (old.length > 0) await sync(folder);
  return old.map(({ name }) => name);
}

/**
 * Removes the leftovers of killed runs. Folders of the last day stay, because they may belong to a running backup.
 */
export async function removeAbandoned(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!unfinishedPattern.test(name)) continue;
    const found = await stat(join(folder, name)).catch(() => null);
    if (found && nowMs - found.mtimeMs > abandonedMs) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

import {
  openMaintenance,
  whyNotServed,
  type Maintenance,
  type PlannedMigration,
  type SchemaState,
} from '@openclaw/chat-store/maintenance';
import { databaseName, sqlitePath } from './database-url.ts';
import { BackupError } from './failure.ts';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createChatStore } from '@openclaw/chat-store';

const beatsEndMs = 10_000;

export async function migrateDatabase(
  databaseUrl: string,
  options: { readonly isPlan: boolean; readonly isForced: boolean },
): Promise<string> {
  const path = sqlitePath(databaseUrl);
  const name = databaseName(databaseUrl);
  if (path !== null && !existsSync(path)) {
    if (options.isPlan)
      return `${name} does not exist yet: a hub creates it with the present schema`;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await (await createChatStore({ url: databaseUrl })).close();
    return `created ${name}`;
  }
  const maintenance = await openMaintenance(databaseUrl);
  try {
    const state = await maintenance.schema();
    const reason = whyNotServed(state);
    if (reason !== null) throw new BackupError('failed', reason);
    if (options.isPlan) return planText(name, state);
    if (state.pending.length === 0) return `${name} needs no migration`;
    if (!options.isForced) await refuseOldHubs(maintenance, state);
    await maintenance.migrate();
    return `migrated ${name}: ${state.pending.map((one) => one.name).join(', ')}`;
  } finally {
    await maintenance.close();
  }
}

export function planText(
  name: string,
  { release, applied, pending, unknown }: SchemaState,
): string {
  if (unknown.length > 0) {
    return `${name} has migrations of a newer release (${unknown.join(', ')}), which this release, ${release}, can serve`;
  }
  if (pending.length === 0)
    return `${name} needs no migration: it has the schema of release ${release}`;
  const lines = pending.map(
    (one) =>
      `  ${one.name}  of release ${one.release}; served by hubs from ${one.compatibleFrom} on`,
  );
  const strict = isolating(pending);
  const after =
    applied.length === 0
      ? 'The database is empty.'
      : strict === null
        ? 'Hubs of the release before can run meanwhile, and you can go back to it without a restore.'
        : `Hubs of a release before ${strict.compatibleFrom} must be stopped first. Going back to one needs a restore: make a backup first.`;
  return [`${name}: would run`, ...lines, after].join('\n');
}

/** Returns the last pending migration that hubs of earlier releases do not support; null if there is none. */
function isolating(pending: readonly PlannedMigration[]): PlannedMigration | null {
  return pending.findLast((one) => one.compatibleFrom === one.release) ?? null;
}

async function refuseOldHubs(maintenance: Maintenance, state: SchemaState): Promise<void> {
  const strict = isolating(state.pending);
  if (strict === null || state.applied.length === 0) return;
  const { connections, lastBeatAgoMs } = await maintenance.hubActivity();
  const isLive = connections > 0 || (lastBeatAgoMs !== null && lastBeatAgoMs < beatsEndMs);
  if (!isLive) return;
  throw new BackupError(
    'in_use',
    `hubs use the database, and hubs of a release before ${strict.compatibleFrom} cannot serve it after ${strict.name}: stop them first, or use --force if they are newer`,
  );
}

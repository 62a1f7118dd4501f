import { parseArgs } from 'node:util';
import { BackupError } from './failure.ts';

const day = 86_400_000;

export type Command =
  | ({ readonly name: 'backup' } & BackupOptions)
  | ({ readonly name: 'restore' } & RestoreOptions)
  | { readonly name: 'migrate'; readonly isPlan: boolean; readonly isForced: boolean }
  | { readonly name: 'help'; readonly text: string };

export interface BackupOptions {
  readonly to: string;
  /** This number of newest archives stays. Null: only `keepMs` counts. If both are null, all archives stay. */
  readonly keep: number | null;
  /** Archives younger than this stay. Null: only `keep` counts. */
  readonly keepMs: number | null;
  /** A recipient of the program `age`, or a file of recipients. */
  readonly encryptTo: string | null;
  readonly withRedis: boolean;
  readonly metricFile: string | null;
}

export interface RestoreOptions {
  /**
   * The path of an archive or of the folder of archives. Null if the command only begins a new epoch (`isNewEpoch`).
   */
  readonly from: string | null;
  readonly atMs: number | null;
  readonly identity: string | null;
  readonly isList: boolean;
  readonly isCheck: boolean;
  readonly isForced: boolean;
  readonly isNewEpoch: boolean;
}

const exits = `Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a damaged archive, 4 a hub uses the database,
129 to 143 interrupted by a signal.`;

const help = {
  backup: `Usage: npm run backup -- --to DIR [options]

Copies the hub's database (HUB_DB_URL) to a new archive in DIR while hubs serve, and prints its path. SQLite is copied by
VACUUM INTO, PostgreSQL by pg_dump. An archive is a folder with the copy, manifest.json and SHA256SUMS. It has its name
only when it is complete.

  --to DIR              the folder of the archives
  --keep N              afterwards removes all but the newest N archives
  --keep-days D         afterwards removes archives older than D days
  --encrypt-to TO       encrypts with age for this recipient (age1…, ssh-…), or for those in a file
                        (default: BACKUP_AGE_RECIPIENT)
  --redis               adds a snapshot (RDB) of the hub's Redis, as the user BACKUP_REDIS_USER with BACKUP_REDIS_PASSWORD
                        if these are set: the hub's own user may not take one
  --metric FILE         writes the time of this backup for Prometheus (default: DIR/openclaw_backup.prom)
  --help                prints this help

${exits}`,
  restore: `Usage: npm run restore -- --from DIR [options]

Replaces the hub's database (HUB_DB_URL) by an archive and begins a new epoch, so that clients start over from what it
holds. Stop every hub first. A SQLite file that is replaced stays beside the new one; PostgreSQL is restored in one
transaction.

  --from DIR            an archive, or the folder of archives: then the newest one
  --at TIME             the newest archive taken at or before this time, such as 2026-11-28T02:10:00Z. Later events are not
                        in it. To restore PostgreSQL to the very second, see docs/backup.md.
  --identity FILE       the age identity that decrypts the archive (default: BACKUP_AGE_IDENTITY)
  --list                lists the archives and ends
  --check               checks the archive, reads it through, and ends
  --new-epoch           restores nothing: begins a new epoch in a database that another program restored
  --force               replaces a SQLite file that is too damaged to be opened; hubs that use it cannot be detected
  --help                prints this help

${exits}`,
  migrate: `Usage: npm run migrate [-- --plan]

Brings the hub's database (HUB_DB_URL) to the schema of this release, as a starting hub does.

  --plan                prints what would run, and which releases can serve the database afterwards; changes nothing
  --force               migrates although hubs run that may be unable to serve the new schema
  --help                prints this help

${exits}`,
};

type Name = keyof typeof help;
type Values = Readonly<Record<string, string | boolean | undefined>>;

const strings = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'string']));
const switches = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'boolean']));
const optionTypes: Readonly<Record<Name, Readonly<Record<string, string>>>> = {
  backup: {
    ...strings('to', 'keep', 'keep-days', 'encrypt-to', 'metric'),
    ...switches('redis', 'help'),
  },
  restore: {
    ...strings('from', 'at', 'identity'),
    ...switches('list', 'check', 'new-epoch', 'force', 'help'),
  },
  migrate: switches('plan', 'force', 'help'),
};

/** @throws {BackupError} `usage` */
export function parseCommandLine(name: Name, args: readonly string[]): Command {
  const values = parseValues(name, args);
  if (values['help']) return { name: 'help', text: help[name] };
  if (name === 'migrate') {
    return { name, isPlan: values['plan'] === true, isForced: values['force'] === true };
  }
  if (name === 'backup') {
    return {
      name,
      to: needed(values, 'to'),
      keep: numberOf(values, 'keep', 1),
      keepMs: numberOf(values, 'keep-days', day),
      encryptTo: text(values, 'encrypt-to'),
      withRedis: values['redis'] === true,
      metricFile: text(values, 'metric'),
    };
  }
  const isNewEpoch = values['new-epoch'] === true;
  if (isNewEpoch && values['from'] !== undefined) {
    throw new BackupError('usage', '--new-epoch restores nothing, so it takes no --from');
  }
  return {
    name,
    from: isNewEpoch ? null : needed(values, 'from'),
    atMs: timeOf(values),
    identity: text(values, 'identity'),
    isList: values['list'] === true,
    isCheck: values['check'] === true,
    isForced: values['force'] === true,
    isNewEpoch,
  };
}

function parseValues(name: Name, args: readonly string[]): Values {
  try {
    const options = Object.fromEntries(
      Object.entries(optionTypes[name]).map(([option, type]) => [
        option,
        { type: type as 'string' | 'boolean' },
      ]),
    );
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ');
    throw new BackupError('usage', `${sentence ?? ''}; --help lists the options`);
  }
}

function text(values: Values, name: string): string | null {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function needed(values: Values, name: string): string {
  const value = text(values, name);
  if (value === null)
    throw new BackupError('usage', `--${name} is missing; --help lists the options`);
  return value;
}

function numberOf(values: Values, name: string, factor: number): number | null {
  const given = text(values, name);
  if (given === null) return null;
  const value = Number(given);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new BackupError('usage', `--${name} must be a whole number above 0`);
  return value * factor;
}

function timeOf(values: Values): number | null {
  const given = text(values, 'at');
  if (given === null) return null;
  const atMs = Date.parse(given);
  if (Number.isNaN(atMs))
    throw new BackupError('usage', '--at must be a time such as 2026-11-28T02:10:00Z');
  return atMs;
}
